import { BodyFault } from '../bodies.ts';
import { alignedMemory } from './aligned-memory.ts';

/** Someone who sits on a buffer without working on it, and can be asked to give it back soon. */
export interface IdleHolder {
  /** Must lead to `give` or `forget` by itself, without waiting for a peer or for another buffer. */
  giveUp(): void;
}

/** One buffer in so many, rounded up, is never lent. */
const keptBackShare = 4;

interface Waiter {
  resolve(memory: Buffer): void;
  reject(reason: BodyFault): void;
}

/**
 * A bounded number of equal buffers of shared memory, made on first use and kept. Who waits is served in order.
 *
 * A buffer is in one of three states: free; busy (disk and hash are at work, or a consumer is sending it); or idle: held
 * for a peer who may never send another byte. While anyone waits, the longest idle holder is asked to give up, so a
 * slow peer cannot keep memory from the others; and nobody waits here while holding a buffer of the same pool. What a
 * consumer is sending cannot be asked back: so only a part of the buffers is lent to consumers.
 */
export class BufferPool {
  readonly #bufferBytes: number;
  readonly #limit: number;
  #made = 0;
  /** Busy buffers that come back without any peer's help. */
  #returning = 0;
  /** Buffers in the hands of consumers, who keep them for as long as they like. */
  #lent = 0;
  readonly #lentMax: number;
  #closed = false;
  readonly #free: Buffer[] = [];
  readonly #waiters: Waiter[] = [];
  /** Each with the moment of its last touch. Touched at every piece of every body: so no order is kept here. */
  readonly #idle = new Map<IdleHolder, number>();
  #touches = 0;

  constructor(options: { bufferBytes: number; limit: number }) {
    this.#bufferBytes = options.bufferBytes;
    this.#limit = options.limit;
    this.#lentMax = options.limit - Math.ceil(options.limit / keptBackShare);
  }

  /** A buffer if one is free and nobody waits for it. */
  tryTake(): Buffer | undefined {
    return this.#closed || this.#waiters.length > 0 ? undefined : this.#takeFree();
  }

  /** The next buffer; rejects with `BodyFault` 'io' when the pool is closed meanwhile. */
  take(): Promise<Buffer> {
    if (this.#closed) return Promise.reject(closed());
    const free = this.tryTake();
    if (free !== undefined) return Promise.resolve(free);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#press();
    });
  }

  give(memory: Buffer): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#free.push(memory);
    else waiter.resolve(memory);
  }

  /** Takes a buffer out of the books because someone may still look at it; a new one may be made in its place. */
  forget(): void {
    this.#made -= 1;
    if (this.#waiters.length > 0) {
      const fresh = this.#takeFree();
      if (fresh !== undefined) this.give(fresh);
    }
  }

  /** Says that the holder's buffer waits for its peer. Call again at each sign of life. */
  markIdle(holder: IdleHolder): void {
    this.#touches += 1;
    this.#idle.set(holder, this.#touches);
    if (this.#waiters.length > 0) this.#press();
  }

  /** Says that the holder works on its buffer again, or has none. */
  unmarkIdle(holder: IdleHolder): void {
    this.#idle.delete(holder);
  }

  /**
   * Whether a buffer may be handed to a consumer whose peer decides when it comes back; undo a yes with `unlend`. Some are
   * never lent, so that whatever becomes of those that are, everybody else gets on.
   */
  lend(): boolean {
    if (this.#lent >= this.#lentMax) return false;
    this.#lent += 1;
    return true;
  }

  unlend(): void {
    this.#lent -= 1;
  }

  /** Counts a buffer that will come back by itself: from the disk, from the hash. Undo it with -1. */
  countReturning(change: 1 | -1): void {
    this.#returning += change;
  }

  close(): void {
    this.#closed = true;
    for (const waiter of this.#waiters.splice(0)) waiter.reject(closed());
    this.#free.length = 0;
  }

  #takeFree(): Buffer | undefined {
    const free = this.#free.pop();
    if (free !== undefined || this.#made >= this.#limit) return free;
    this.#made += 1;
    return alignedMemory(this.#bufferBytes);
  }

  #press(): void {
    while (this.#waiters.length > this.#returning) {
      const holder = this.#longestIdle();
      if (holder === undefined) return;
      this.#idle.delete(holder);
      holder.giveUp();
    }
  }

  #longestIdle(): IdleHolder | undefined {
    let longest: IdleHolder | undefined;
    let earliest = Number.POSITIVE_INFINITY;
    for (const [holder, touched] of this.#idle) {
      if (touched > earliest) continue;
      longest = holder;
      earliest = touched;
    }
    return longest;
  }
}

function closed(): BodyFault {
  return new BodyFault('io', 'the body store is closed');
}
