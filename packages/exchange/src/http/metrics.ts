import type { ErrorName } from '@openmesh/protocol';
import { Histogram, Registry } from 'prom-client';
import type { DirectoryAlert } from '../store/ledger/directory.ts';
import { addCounter, addGauge, addLabelledCounter, addLabelledGauge } from './metric-kinds.ts';
import type { Operation } from './operation.ts';
import { addProcessMetrics } from './process-metrics.ts';
import { createRequestMetrics } from './request-metrics.ts';

/** What the exchange counts. Each method is cheap enough for every request; none takes anything a caller wrote. */
export interface Metrics {
  requestFinished(operation: Operation, status: number, durationMs: number): void;
  /** The stable code of a refusal; codes are our own, and past 200 different ones are counted together. */
  refused(reason: string): void;
  bytesReceived(count: number): void;
  bytesSent(count: number): void;
  messagesAccepted(count: number): void;
  messagesAcknowledged(count: number): void;
  messagesExpired(count: number): void;
  /** What became of a message to a patient's practice: delivered, held, or the name of the error. */
  gpRouted(outcome: 'delivered' | 'held' | ErrorName): void;
  /** An organisation with mailboxes closed, was renamed or succeeded. */
  directoryAlert(kind: DirectoryAlert['kind']): void;
  /** One commit of the ledger: how many commands it held and how long it took. */
  ledgerCommitted(commandCount: number, commitMs: number): void;
  /** The Prometheus text format, and its content type. */
  read(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** Ends the sampling of the event loop. */
  close(): void;
}

/** Values that are asked for when somebody reads the metrics. Undefined means "not known", and the metric is left out. */
export interface MetricSources {
  readonly ledgerCommandsWaiting: () => number | undefined;
  readonly connectionsOpen: () => number | undefined;
  /** Before the reserve is touched. */
  readonly diskFreeBytes: () => Promise<number | undefined>;
  /** Days until the server's certificate ends; negative when it has. */
  readonly certificateDaysLeft: () => number | undefined;
  readonly logLinesDropped: () => number;
  /** What became of spans of traces, by words of our own; empty where none are made. */
  readonly traceSpans: () => Readonly<Record<string, number>>;
}

export interface BuildLabels {
  readonly version: string;
  readonly buildLabel: string;
  readonly profile: string;
}

const reasonsMax = 200;
const reasonShape = /^[a-z0-9]+(-[a-z0-9]+){0,9}$/;

/** A registry of its own, so that two exchanges in one process do not mix. */
export function createMetrics(build: BuildLabels, sources: MetricSources): Metrics {
  const registry = new Registry();
  const requests = createRequestMetrics();
  const totals = addTotals(registry);
  const refusals = addRefusals(registry);
  const gpRouted = addTally(registry, {
    name: 'openmesh_gp_routing_total',
    help: "Attempts to find a patient's practice, by what came of them.",
    label: 'outcome',
  });
  const directoryAlert = addTally(registry, {
    name: 'openmesh_directory_alerts_total',
    help: 'Organisations with mailboxes that closed, are to close, were renamed or succeeded.',
    label: 'kind',
  });
  const registers = [registry];
  const batch = new Histogram({
    name: 'openmesh_ledger_batch_commands',
    help: 'Commands that shared one commit of the ledger.',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
    registers,
  });
  const commit = new Histogram({
    name: 'openmesh_ledger_commit_seconds',
    help: 'How long a commit of the ledger took, flush included.',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers,
  });
  addSources(registry, sources);
  const labels = {
    version: build.version,
    build_label: build.buildLabel,
    profile: build.profile,
    node: process.version,
  };
  const help = 'Always 1; the labels say what is running.';
  const labelNames = ['version', 'build_label', 'profile', 'node'] as const;
  addLabelledGauge(registry, 'openmesh_build_info', help, labelNames, () => [{ labels, value: 1 }]);
  const stopSampling = addProcessMetrics(registry);
  return {
    requestFinished: requests.add,
    refused: refusals,
    gpRouted,
    directoryAlert,
    ...totals,
    ledgerCommitted(commandCount, commitMs) {
      batch.observe(commandCount);
      commit.observe(commitMs / 1000);
    },
    read: async () => ({ contentType: registry.contentType, text: requests.render() + (await registry.metrics()) }),
    close: stopSampling,
  };
}

type Totals = Pick<
  Metrics,
  'bytesReceived' | 'bytesSent' | 'messagesAccepted' | 'messagesAcknowledged' | 'messagesExpired'
>;

function addTotals(registry: Registry): Totals {
  const total = (name: string, help: string): ((count: number) => void) => {
    let sum = 0;
    addCounter(registry, name, help, () => sum);
    return (count) => {
      // A counter never goes back, and one value that is no number would spoil it for ever.
      if (count > 0) sum += count;
    };
  };
  return {
    bytesReceived: total('openmesh_received_bytes_total', 'Bytes of request bodies.'),
    bytesSent: total('openmesh_sent_bytes_total', 'Bytes of answer bodies.'),
    messagesAccepted: total('openmesh_messages_accepted_total', 'Messages accepted from senders.'),
    messagesAcknowledged: total('openmesh_messages_acknowledged_total', 'Messages acknowledged by recipients.'),
    messagesExpired: total('openmesh_messages_expired_total', 'Messages reported as not collected in time.'),
  };
}

function addRefusals(registry: Registry): (reason: string) => void {
  const counts = new Map<string, number>();
  addLabelledCounter(
    registry,
    'openmesh_refusals_total',
    'Requests refused, and connections that came to none, by stable reason code.',
    ['reason'],
    () => [...counts].map(([reason, value]) => ({ labels: { reason }, value })),
  );
  return (reason) => {
    const known = counts.has(reason) || (counts.size < reasonsMax && reasonShape.test(reason));
    const label = known ? reason : 'other';
    counts.set(label, (counts.get(label) ?? 0) + 1);
  };
}

/** A counter with one label, whose values are words of our own. */
function addTally(
  registry: Registry,
  { name, help, label }: { readonly name: string; readonly help: string; readonly label: string },
): (value: string) => void {
  const counts = new Map<string, number>();
  addLabelledCounter(registry, name, help, [label], () =>
    [...counts].map(([value, count]) => ({ labels: { [label]: value }, value: count })),
  );
  return (value) => void counts.set(value, (counts.get(value) ?? 0) + 1);
}

function addSources(registry: Registry, sources: MetricSources): void {
  const { ledgerCommandsWaiting, connectionsOpen, diskFreeBytes, certificateDaysLeft } = sources;
  addGauge(registry, 'openmesh_ledger_commands_waiting', 'Commands waiting for the ledger.', ledgerCommandsWaiting);
  addGauge(registry, 'openmesh_connections_open', 'Connections of systems that are open.', connectionsOpen);
  const free = 'Bytes that may still be written where bodies are kept before the reserve is touched.';
  addGauge(registry, 'openmesh_disk_free_bytes', free, diskFreeBytes);
  const help = "Days until the server's certificate ends; negative when it has.";
  addGauge(registry, 'openmesh_certificate_days_left', help, certificateDaysLeft);
  const dropped = 'Log lines lost because the reader of the log was too slow.';
  addCounter(registry, 'openmesh_log_lines_dropped_total', dropped, sources.logLinesDropped);
  const spans = 'Spans of traces, by what became of them.';
  addLabelledCounter(registry, 'openmesh_trace_spans_total', spans, ['outcome'], () =>
    Object.entries(sources.traceSpans()).map(([outcome, value]) => ({ labels: { outcome }, value })),
  );
}
