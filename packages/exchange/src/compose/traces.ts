import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import type { Log } from '../http/log.ts';
import type { RequestFacts } from '../http/machines-door.ts';
import type { Ledger } from '../store/ledger.ts';
import type { SpanCounts } from '../traces/span-queue.ts';
import { version } from '../version.ts';
import type { MachineClock } from './clocks.ts';
import { createRandomHex } from './random-hex.ts';

/** Spans about messages on their way to a collector. Nothing here fails or holds up who is traced. */
export interface Traces {
  /** What became of spans since the start. */
  readonly counts: Readonly<SpanCounts>;
  aroundLedger(ledger: Ledger): Ledger;
  requestFinished(facts: RequestFacts): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface TracesParts {
  readonly log: Log;
  readonly machineClock: MachineClock;
  readonly workflowOf: (workflowId: string) => string | undefined;
}

const answerTimeoutMs = 10_000;
const closingMsMax = 2000;
/** A collector that is away makes one line a minute for each reason. */
const quietMs = 60_000;

/** What makes spans and sends them; undefined, and nothing of it loaded, where no collector is set. */
export async function openTraces(config: Config, parts: TracesParts): Promise<Traces | undefined> {
  if (config.traces === undefined) return undefined;
  const { endpoint, caFile, share, serviceName } = config.traces;
  const [
    { traceLedger },
    { encodeSpans },
    { createSpanPost },
    { createRequestSpans },
    { createTracer },
    { createSpanClock },
    { SpanQueue },
  ] = await Promise.all([
    import('../traces/ledger-spans.ts'),
    import('../traces/otlp-json.ts'),
    import('../traces/post-spans.ts'),
    import('../traces/request-spans.ts'),
    import('../traces/span.ts'),
    import('../traces/span-clock.ts'),
    import('../traces/span-queue.ts'),
  ]);
  const { log, machineClock, workflowOf } = parts;
  const nowMs = createSpanClock(machineClock);
  const isNews = noticeNowAndThen(machineClock.nowMs);
  const spoiled = (error: unknown): void => {
    if (isNews('spoiled')) log.error('trace-spoiled', error);
  };
  const authorities = caFile === undefined ? undefined : readFileSync(caFile, 'utf8');
  const scope = { name: 'openmesh', version };
  const resource = {
    'service.name': serviceName,
    'service.version': version,
    'service.instance.id': randomUUID(),
    'deployment.environment.name': config.environment.name,
    'host.name': hostname(),
  };
  const queue = new SpanQueue({
    post: createSpanPost({ endpoint, authorities, timeoutMs: answerTimeoutMs }),
    encode: (spans) => encodeSpans(spans, resource, scope),
    failed: (reason) => void (isNews(reason) && log.warn('traces-not-taken', { reason })),
    spoiled,
  });
  const tracer = createTracer({ share, newSpanId: createRandomHex(8), add: (span) => queue.add(span) });
  const requests = createRequestSpans(tracer, nowMs);
  return {
    counts: queue.counts,
    aroundLedger: (ledger) => traceLedger(ledger, { tracer, nowMs, began: requests.began, workflowOf, spoiled }),
    requestFinished(facts) {
      try {
        requests.finished(facts);
      } catch (error) {
        spoiled(error);
      }
    },
    flush: () => queue.flush(),
    close: () => queue.close(Math.min(closingMsMax, config.shutdownMs)),
  };
}

function noticeNowAndThen(nowMs: () => number): (what: string) => boolean {
  const saidAtMs = new Map<string, number>();
  return (what) => {
    if (nowMs() - (saidAtMs.get(what) ?? Number.NEGATIVE_INFINITY) < quietMs) return false;
    saidAtMs.set(what, nowMs());
    return true;
  };
}
