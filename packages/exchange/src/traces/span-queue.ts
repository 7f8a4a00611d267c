import type { AwayReason, Posted, SpanPost } from './post-spans.ts';
import type { Span } from './span.ts';

/** What became of spans, counted since the start. */
export interface SpanCounts {
  sent: number;
  /** There was no room for them: the collector is away or too slow. */
  'queue-full': number;
  /** The collector took them for wrong. */
  refused: number;
  /** The exchange stopped before they could be sent. */
  unsent: number;
}

/** Some 16 MB when it is full. */
const queueSpansMax = 16_384;
const batchSpansMax = 512;
const sendEveryMs = 2000;
const firstWaitMs = 1000;
const longestWaitMs = 60_000;

export interface SpanQueueParts {
  readonly post: SpanPost;
  readonly encode: (spans: readonly Span[]) => string;
  /** Told each time the collector does not take what it is offered. */
  readonly failed: (reason: AwayReason | 'refused') => void;
  /** Told of a fault of ours; the spans it met count as refused. */
  readonly spoiled: (error: unknown) => void;
}

/** Gathers spans and sends them in batches, one after the other, in the order in which they were added. */
export class SpanQueue {
  readonly counts: SpanCounts = { sent: 0, 'queue-full': 0, refused: 0, unsent: 0 };
  readonly #parts: SpanQueueParts;
  readonly #waiting: Span[] = [];
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  /** Offers in a row that met nobody. */
  #failures = 0;

  constructor(parts: SpanQueueParts) {
    this.#parts = parts;
  }

  /** Never waits and never fails: what there is no room for is dropped and counted. */
  add(span: Span): void {
    if (this.#stopping.signal.aborted) this.counts.unsent += 1;
    else if (this.#waiting.length >= queueSpansMax) this.counts['queue-full'] += 1;
    else {
      this.#waiting.push(span);
      if (this.#sending !== undefined) return;
      if (this.#waiting.length >= batchSpansMax && this.#failures === 0) void this.flush();
      else this.#startTimer(sendEveryMs);
    }
  }

  /** Offers what waits, now; resolves when nothing waits any more or the collector is away. Never rejects. */
  flush(): Promise<void> {
    this.#stopTimer();
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
      // Added after the last look.
      if (this.#waiting.length > 0) this.#startTimer(sendEveryMs);
    });
    return this.#sending;
  }

  /** The same once more, for so long at most; what is left is counted as unsent. */
  async close(limitMs: number): Promise<void> {
    const limit = setTimeout(() => this.#stopping.abort(), limitMs);
    // What is on its way now may have been read before the last spans came.
    await this.#sending;
    await this.flush();
    clearTimeout(limit);
    this.#stopping.abort();
    this.#stopTimer();
    this.counts.unsent += this.#waiting.splice(0).length;
    this.#parts.post.close();
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0 && (await this.#sendBatch())) continue;
  }

  /** Answers whether to go on with the next batch. */
  async #sendBatch(): Promise<boolean> {
    const batch = this.#waiting.slice(0, batchSpansMax);
    const posted = await this.#offer(batch);
    if (posted.kind === 'away') {
      // Our own end is not the collector's fault.
      if (this.#stopping.signal.aborted) return false;
      this.#parts.failed(posted.reason);
      this.#startTimer(Math.min(longestWaitMs, posted.retryAfterMs ?? firstWaitMs * 2 ** Math.min(this.#failures, 10)));
      this.#failures += 1;
      return false;
    }
    this.#waiting.splice(0, batch.length);
    this.#failures = 0;
    const refused = posted.kind === 'refused' ? batch.length : Math.min(posted.rejected, batch.length);
    this.counts.refused += refused;
    this.counts.sent += batch.length - refused;
    if (refused > 0) this.#parts.failed('refused');
    return true;
  }

  async #offer(batch: readonly Span[]): Promise<Posted> {
    const { post, encode, spoiled } = this.#parts;
    try {
      return await post.offer(encode(batch), this.#stopping.signal);
    } catch (error) {
      spoiled(error);
      return { kind: 'refused' };
    }
  }

  #startTimer(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.flush();
    }, ms).unref();
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
