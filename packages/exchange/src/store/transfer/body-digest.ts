import { createHash } from 'node:crypto';
import { type BodyShape, digestBlockBytes } from '../bodies.ts';
import type { HashCrew, HashLane } from './hash-crew.ts';

/**
 * The digests of one body while it streams: of the whole on one thread and, from the second block on, of each block on
 * another. The first block needs no pass of its own: the running digest of the whole is read as it ends.
 */
export class BodyDigest {
  readonly #crew: HashCrew;
  #whole: HashLane | undefined;
  #block: HashLane | undefined;
  #sizeBytes = 0;
  #firstBlock: Promise<string> | undefined;
  readonly #laterBlocks: Promise<string>[] = [];

  constructor(crew: HashCrew) {
    this.#crew = crew;
  }

  /** Takes the next bytes, in shared memory, none of which lie beyond the end of the current block. Settles when they may change. */
  async update(bytes: Uint8Array): Promise<void> {
    const inBlock = this.#sizeBytes % digestBlockBytes;
    const first = this.#sizeBytes < digestBlockBytes;
    const endsBlock = inBlock + bytes.length === digestBlockBytes;
    if (inBlock + bytes.length > digestBlockBytes) throw new RangeError('a part spans two digest blocks');
    this.#sizeBytes += bytes.length;
    this.#whole ??= this.#crew.lane();
    const whole = this.#whole.update(bytes, first && endsBlock ? 'peek' : 'none');
    if (first) {
      if (endsBlock) this.#firstBlock = whole;
      await whole;
      return;
    }
    this.#block ??= this.#crew.lane(this.#whole);
    const block = this.#block.update(bytes, endsBlock ? 'final' : 'none');
    if (endsBlock) {
      this.#laterBlocks.push(block);
      this.#block = undefined;
    }
    await Promise.all([whole, block]);
  }

  /** The shape of all bytes taken. */
  async finish(): Promise<BodyShape> {
    const end = new Uint8Array(0);
    if (this.#block !== undefined) this.#laterBlocks.push(this.#block.update(end, 'final'));
    const sha256 = (await this.#whole?.update(end, 'final')) ?? createHash('sha256').digest('hex');
    this.#whole = undefined;
    this.#block = undefined;
    const blocks =
      this.#sizeBytes > digestBlockBytes ? await Promise.all([this.#firstBlock, ...this.#laterBlocks]) : [];
    return { sizeBytes: this.#sizeBytes, sha256, blockDigests: blocks.join('') };
  }

  drop(): void {
    this.#whole?.drop();
    this.#block?.drop();
    this.#whole = undefined;
    this.#block = undefined;
  }
}

/** The shape of a body of one small piece, digested here and now. */
export function shapeOfPiece(bytes: Uint8Array): BodyShape {
  return { sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex'), blockDigests: '' };
}
