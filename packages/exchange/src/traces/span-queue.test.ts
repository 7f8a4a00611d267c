import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Posted } from './post-spans.ts';
import type { Span } from './span.ts';
import { SpanQueue } from './span-queue.ts';

const taken: Posted = { kind: 'taken', rejected: 0 };
const away: Posted = { kind: 'away', reason: 'unreachable', retryAfterMs: undefined };

let answers: Posted[];
let hangs: boolean;
let offered: string[][];
let failures: string[];
let queue: SpanQueue;

beforeEach(() => {
  vi.useFakeTimers();
  [answers, hangs, offered, failures] = [[], false, [], []];
  queue = new SpanQueue({
    encode: (spans) => JSON.stringify(spans.map(({ name }) => name)),
    failed: (reason) => failures.push(reason),
    spoiled: (error) => failures.push(String(error)),
    post: {
      close: () => undefined,
      async offer(body, signal) {
        offered.push(JSON.parse(body) as string[]);
        if (!hangs) return answers.shift() ?? taken;
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return away;
      },
    },
  });
});
afterEach(() => vi.useRealTimers());

function add(count: number): void {
  const ids = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), parentSpanId: undefined };
  const rest = { kind: 'internal', startMs: 1, endMs: 2, attributes: {}, links: [], failed: false } as const;
  for (let n = 1; n <= count; n += 1) queue.add({ ...ids, ...rest, name: `${n}` } satisfies Span);
}

const sizes = (): readonly number[] => offered.map(({ length }) => length);

describe('spans that wait', () => {
  it('are sent together after 2 s, in the order in which they came', async () => {
    add(3);
    await vi.advanceTimersByTimeAsync(1999);
    expect(offered).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(offered).toEqual([['1', '2', '3']]);
    expect(queue.counts).toEqual({ sent: 3, 'queue-full': 0, refused: 0, unsent: 0 });
  });

  it('are sent at once when there are 512, and never more than 512 together', async () => {
    add(1300);
    await vi.advanceTimersByTimeAsync(0);
    expect(sizes()).toEqual([512, 512, 276]);
  });

  it('come along in time when they were added while others were being sent', async () => {
    add(512);
    add(1);
    await vi.advanceTimersByTimeAsync(0);
    expect(queue.counts.sent).toBe(513);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a collector that is away', () => {
  it('is offered the same spans again, later and later, until it takes them', async () => {
    answers = [away, away, { ...away, reason: 'busy', retryAfterMs: 30_000 }];
    add(2);
    await vi.advanceTimersByTimeAsync(2000);
    await vi.advanceTimersByTimeAsync(1000);
    await vi.advanceTimersByTimeAsync(2000);
    expect([sizes(), failures]).toEqual([
      [2, 2, 2],
      ['unreachable', 'unreachable', 'busy'],
    ]);
    await vi.advanceTimersByTimeAsync(29_999);
    expect(sizes()).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(1);
    expect([sizes(), queue.counts.sent]).toEqual([[2, 2, 2, 2], 2]);
  });

  it('is left in peace for a minute at most, however long it says', async () => {
    answers = [{ ...away, reason: 'busy', retryAfterMs: 999_999_000 }];
    add(1);
    await vi.advanceTimersByTimeAsync(62_000);
    expect(queue.counts.sent).toBe(1);
  });

  it('is not pressed by new spans', async () => {
    answers = [away];
    add(512);
    await vi.advanceTimersByTimeAsync(0);
    add(1000);
    await vi.advanceTimersByTimeAsync(999);
    expect(sizes()).toEqual([512]);
  });

  it('costs the spans there is no room for, each of them counted', async () => {
    hangs = true;
    add(16_384 + 5);
    expect(queue.counts['queue-full']).toBe(5);
    const closing = queue.close(0);
    await vi.advanceTimersByTimeAsync(0);
    await closing;
  });
});

describe('a collector that refuses', () => {
  it('is not offered the same again', async () => {
    answers = [{ kind: 'refused' }];
    add(600);
    await vi.advanceTimersByTimeAsync(0);
    expect(sizes()).toEqual([512, 88]);
    expect(queue.counts).toEqual({ sent: 88, 'queue-full': 0, refused: 512, unsent: 0 });
    expect(failures).toEqual(['refused']);
  });

  it('cannot be the one to blame for a fault of ours, which costs the spans it met and nothing else', async () => {
    add(1);
    queue.add(undefined as unknown as Span);
    await queue.flush();
    add(1);
    await queue.flush();
    expect(queue.counts).toMatchObject({ refused: 2, sent: 1 });
    expect(failures[0]).toContain('TypeError');
  });

  it('may take a part, and cannot refuse more than it was offered', async () => {
    answers = [
      { kind: 'taken', rejected: 2 },
      { kind: 'taken', rejected: 99 },
    ];
    add(5);
    await queue.flush();
    add(3);
    await queue.flush();
    expect(queue.counts).toMatchObject({ sent: 3, refused: 5 });
  });
});

describe('at the end', () => {
  it('what waits is sent, and nothing is added any more', async () => {
    add(600);
    await queue.close(1000);
    add(1);
    expect(sizes()).toEqual([512, 88]);
    expect(queue.counts).toMatchObject({ sent: 600, unsent: 1 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('a collector that hangs is waited for within the limit, and what it did not take is counted', async () => {
    hangs = true;
    add(700);
    const closed = vi.fn();
    const closing = queue.close(1500).then(closed);
    await vi.advanceTimersByTimeAsync(1499);
    expect(closed).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await closing;
    expect([queue.counts.unsent, failures, vi.getTimerCount()]).toEqual([700, [], 0]);
  });
});
