import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMetrics, type Metrics } from './metrics.ts';

const build = { version: '0.1.0', buildLabel: 'test', profile: 'live' };
let daysLeft: number | undefined;
let metrics: Metrics;

beforeEach(() => {
  daysLeft = 12;
  metrics = createMetrics(build, {
    ledgerCommandsWaiting: () => 3,
    connectionsOpen: () => 4,
    diskFreeBytes: () => Promise.resolve(5000),
    certificateDaysLeft: () => daysLeft,
    logLinesDropped: () => 2,
    traceSpans: () => ({ sent: 7, 'queue-full': 0 }),
  });
});
afterEach(() => metrics.close());

async function read(): Promise<readonly string[]> {
  return (await metrics.read()).text.split('\n');
}

describe('metrics', () => {
  it('counts requests by operation and class of status, with their latency', async () => {
    metrics.requestFinished('send-message', 202, 1.5);
    metrics.requestFinished('send-message', 202, 2000);
    metrics.requestFinished('send-message', 403, 0.2);
    const lines = await read();
    expect(lines).toContain('openmesh_requests_total{operation="send-message",status_class="2xx"} 2');
    expect(lines).toContain('openmesh_requests_total{operation="send-message",status_class="4xx"} 1');
    expect(lines).toContain('openmesh_request_seconds_bucket{operation="send-message",le="0.001"} 1');
    expect(lines).toContain('openmesh_request_seconds_bucket{operation="send-message",le="+Inf"} 3');
    expect(lines).toContain('openmesh_request_seconds_count{operation="send-message"} 3');
    expect(lines.some((line) => line.includes('operation="check-inbox"'))).toBe(false);
  });

  it('gives the same totals however often it is read', async () => {
    metrics.messagesAccepted(2);
    metrics.bytesReceived(100);
    metrics.refused('nonce-used');
    await read();
    const lines = await read();
    expect(lines).toContain('openmesh_messages_accepted_total 2');
    expect(lines).toContain('openmesh_received_bytes_total 100');
    expect(lines).toContain('openmesh_refusals_total{reason="nonce-used"} 1');
  });

  it('counts a reason that is no code, and reasons beyond the 200th, as other', async () => {
    metrics.refused('Jane Smith, 900 000 0009');
    for (let index = 0; index < 250; index += 1) metrics.refused(`reason-${index}`);
    const reasons = (await read()).filter((line) => line.startsWith('openmesh_refusals_total{'));
    expect(reasons.join()).not.toContain('Smith');
    expect(reasons).toHaveLength(200);
    expect(reasons).toContain('openmesh_refusals_total{reason="other"} 52');
  });

  it('asks for what others know when it is read, and leaves out what is not known', async () => {
    metrics.ledgerCommitted(64, 2);
    const lines = await read();
    expect(lines).toContain('openmesh_ledger_commands_waiting 3');
    expect(lines).toContain('openmesh_connections_open 4');
    expect(lines).toContain('openmesh_disk_free_bytes 5000');
    expect(lines).toContain('openmesh_certificate_days_left 12');
    expect(lines).toContain('openmesh_log_lines_dropped_total 2');
    expect(lines).toContain('openmesh_trace_spans_total{outcome="sent"} 7');
    expect(lines).toContain('openmesh_ledger_batch_commands_sum 64');
    expect(lines).toContain('openmesh_ledger_commit_seconds_sum 0.002');
    daysLeft = undefined;
    expect((await read()).some((line) => line.startsWith('openmesh_certificate_days_left '))).toBe(false);
  });

  it('does not let a wrong number spoil a total', async () => {
    metrics.bytesSent(Number.NaN);
    metrics.bytesSent(-5);
    metrics.bytesSent(7);
    expect(await read()).toContain('openmesh_sent_bytes_total 7');
  });

  it('has each of its names, and no other, in docs/operate/metrics.md with the same words', async () => {
    const page = readFileSync(new URL('../../../../docs/operate/metrics.md', import.meta.url), 'utf8');
    const documented = [...page.matchAll(/^\| `(\w+)` \| (\w+) \| .*? \| (.*) \|$/gm)];
    const text = await read();
    const helps = new Map(text.flatMap((line) => matchPair(/^# HELP (\w+) (.*)$/, line)));
    const types = new Map(text.flatMap((line) => matchPair(/^# TYPE (\w+) (\w+)$/, line)));
    expect(documented.map(([, name, type, help]) => `${name} ${type} ${help}`).sort()).toEqual(
      [...helps].map(([name, help]) => `${name} ${types.get(name)} ${help}`).sort(),
    );
  });
});

function matchPair(shape: RegExp, line: string): [string, string][] {
  const [, name, rest] = shape.exec(line) ?? [];
  return name === undefined || rest === undefined ? [] : [[name, rest]];
}
