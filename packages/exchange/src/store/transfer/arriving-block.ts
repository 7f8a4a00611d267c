import { createHash } from 'node:crypto';
import type { HashCrew, HashLane } from './hash-crew.ts';

/** A block up to this size has memory of its own and is hashed on the calling thread. */
export const smallBlockBytes = 64 * 1024;
/** A larger one is hashed in parts of this size, each while the next arrives. */
export const arrivalPartBytes = 1024 * 1024;

/**
 * The digest of one block while its bytes come in. Whoever fills the memory says how far it got, and settles the
 * digest or gives it up before the memory is used for anything else.
 */
export class ArrivingBlock {
  readonly #crew: HashCrew;
  readonly #bytes: Buffer;
  readonly #hashing: Promise<string>[] = [];
  #lane: HashLane | undefined;
  #handedOver = 0;

  /** `bytes` is shared memory where it is longer than `smallBlockBytes`. */
  constructor(crew: HashCrew, bytes: Buffer) {
    this.#crew = crew;
    this.#bytes = bytes;
  }

  /** Says that the first `upTo` bytes are there and stay what they are. */
  arrived(upTo: number): void {
    if (this.#bytes.length <= smallBlockBytes) return;
    const done = upTo === this.#bytes.length;
    if (!done && upTo - this.#handedOver < arrivalPartBytes) return;
    this.#lane ??= this.#crew.lane();
    this.#hashing.push(this.#lane.update(this.#bytes.subarray(this.#handedOver, upTo), done ? 'final' : 'none'));
    this.#handedOver = upTo;
  }

  /** The SHA-256 of the whole block, lower-case hex; call it when all of it arrived. */
  async digest(): Promise<string> {
    if (this.#bytes.length <= smallBlockBytes) return createHash('sha256').update(this.#bytes).digest('hex');
    return (await Promise.all(this.#hashing)).join('');
  }

  /** Settles when nobody looks at the memory any more. */
  async giveUp(): Promise<void> {
    this.#lane?.drop();
    await Promise.allSettled(this.#hashing);
  }
}
