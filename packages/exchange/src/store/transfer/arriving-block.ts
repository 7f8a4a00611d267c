import { createHash } from 'node:crypto';
import { BlockOpener } from '../block-cipher.ts';
import type { BodyKey } from '../bodies.ts';
import type { HashCrew, HashLane } from './hash-crew.ts';

/** A block up to this size has memory of its own and is hashed on the calling thread. */
export const smallBlockBytes = 64 * 1024;
/** A larger one is hashed in parts of this size, each while the next arrives. */
export const arrivalPartBytes = 1024 * 1024;

/** What decrypts one block of a body: the body's key, which block it is, counted from 0, and its tag. */
export interface BlockOpening {
  readonly key: BodyKey;
  readonly block: number;
  readonly tag: string;
}

/**
 * The digest of one block while its bytes come in; an encrypted one is decrypted where it lies instead. Whoever fills the memory says how far it got, and settles the
 * digest or gives it up before the memory is used for anything else.
 */
export class ArrivingBlock {
  readonly #crew: HashCrew;
  readonly #bytes: Buffer;
  readonly #opening: BlockOpening | undefined;
  readonly #hashing: Promise<string>[] = [];
  #lane: HashLane | undefined;
  #handedOver = 0;

  /** `bytes` is shared memory where it is longer than `smallBlockBytes`. */
  constructor(crew: HashCrew, bytes: Buffer, opening: BlockOpening | undefined) {
    this.#crew = crew;
    this.#bytes = bytes;
    this.#opening = opening;
  }

  /** Says that the first `upTo` bytes are there and that nobody else changes them. */
  arrived(upTo: number): void {
    if (this.#bytes.length <= smallBlockBytes) return;
    const done = upTo === this.#bytes.length;
    if (!done && upTo - this.#handedOver < arrivalPartBytes) return;
    const opening = this.#opening;
    this.#lane ??= opening === undefined ? this.#crew.lane() : this.#crew.laneFor({ kind: 'open', ...opening });
    this.#hashing.push(this.#lane.update(this.#bytes.subarray(this.#handedOver, upTo), done ? 'final' : 'none'));
    this.#handedOver = upTo;
  }

  /**
   * The SHA-256 of the whole block, lower-case hex, or the tag of one that was opened and '' where that failed; call it
   * once, when all of it arrived.
   */
  async digest(): Promise<string> {
    if (this.#bytes.length <= smallBlockBytes) return this.#digestHere();
    return (await Promise.all(this.#hashing)).join('');
  }

  #digestHere(): string {
    if (this.#opening === undefined) return createHash('sha256').update(this.#bytes).digest('hex');
    const opener = new BlockOpener(this.#opening.key, this.#opening.block, this.#opening.tag);
    opener.update(this.#bytes);
    return opener.end();
  }

  /** Settles when nobody looks at the memory any more. */
  async giveUp(): Promise<void> {
    this.#lane?.drop();
    await Promise.allSettled(this.#hashing);
  }
}
