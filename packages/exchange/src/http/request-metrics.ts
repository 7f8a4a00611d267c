import { type Operation, operations } from './operation.ts';

// Kept in plain numbers and written out by ourselves: a request pays some tens of nanoseconds, where the library's
// labelled histogram and counter take half a microsecond, which is one per cent of a request.

const statusClasses = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** Upper edges in milliseconds: from a small message on this machine to a full chunk on a slow line. */
const edgesMs = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 900_000];

interface Tally {
  /** By class of status. */
  readonly counts: number[];
  /** By edge, each request in one slot only; the last slot is "longer than all". */
  readonly slots: number[];
  totalMs: number;
}

export interface RequestMetrics {
  readonly add: (operation: Operation, status: number, durationMs: number) => void;
  /** Both metrics in the Prometheus text format, each line ended. */
  readonly render: () => string;
}

/** Counts and latencies of requests by operation; an operation that never occurred is left out. */
export function createRequestMetrics(): RequestMetrics {
  const tallies = new Map<Operation, Tally>(
    operations.map((operation) => [
      operation,
      { counts: statusClasses.map(() => 0), slots: [0, ...edgesMs.map(() => 0)], totalMs: 0 },
    ]),
  );
  return {
    add(operation, status, durationMs) {
      const tally = tallies.get(operation);
      if (tally === undefined) throw new Error(`no tally was made for operation ${operation}`);
      increase(tally.counts, Math.min(4, Math.max(0, Math.trunc(status / 100) - 1)));
      let slot = 0;
      while (durationMs > (edgesMs[slot] ?? Number.POSITIVE_INFINITY)) slot += 1;
      increase(tally.slots, slot);
      tally.totalMs += durationMs;
    },
    render: () => [...renderCounts(tallies), ...renderLatencies(tallies)].map((line) => `${line}\n`).join(''),
  };
}

function increase(numbers: number[], index: number): void {
  numbers[index] = (numbers[index] ?? 0) + 1;
}

function* renderCounts(tallies: ReadonlyMap<Operation, Tally>): Generator<string> {
  const name = 'openmesh_requests_total';
  yield `# HELP ${name} Requests answered, by operation and class of status.`;
  yield `# TYPE ${name} counter`;
  for (const [operation, { counts }] of tallies) {
    for (const [index, count] of counts.entries()) {
      if (count > 0) yield `${name}{operation="${operation}",status_class="${statusClasses[index]}"} ${count}`;
    }
  }
}

function* renderLatencies(tallies: ReadonlyMap<Operation, Tally>): Generator<string> {
  const name = 'openmesh_request_seconds';
  yield `# HELP ${name} Time from the headers of a request to the end of its answer, by operation.`;
  yield `# TYPE ${name} histogram`;
  for (const [operation, { slots, totalMs }] of tallies) {
    let upTo = 0;
    if (slots.every((count) => count === 0)) continue;
    for (const [index, count] of slots.entries()) {
      const edgeMs = edgesMs[index];
      upTo += count;
      const edge = edgeMs === undefined ? '+Inf' : String(edgeMs / 1000);
      yield `${name}_bucket{operation="${operation}",le="${edge}"} ${upTo}`;
    }
    yield `${name}_sum{operation="${operation}"} ${totalMs / 1000}`;
    yield `${name}_count{operation="${operation}"} ${upTo}`;
  }
}
