import { createHash } from 'node:crypto';
import { BlockSealer } from '../block-cipher.ts';
import { type BodyKey, type BodyShape, digestBlockBytes } from '../bodies.ts';
import type { HashCrew, HashLane } from './hash-crew.ts';

/** Of a SHA-256 in hex. */
const digestLength = 64;

/** What is made of a body's bytes while they stream to where they are kept. */
export interface BodyPass {
  /** Takes the next bytes, in shared memory, none of which lie beyond the end of the current block. Settles when they may change. */
  update(bytes: Uint8Array): Promise<void>;
  /** The shape of all bytes taken. */
  finish(): Promise<BodyShape>;
  drop(): void;
}

/**
 * The digests of one body while it streams: of the whole on one thread and, from the second block on, of each block on
 * another. The first block needs no pass of its own: the running digest of the whole is read as it ends.
 */
class BodyDigest implements BodyPass {
  readonly #crew: HashCrew;
  #whole: HashLane | undefined;
  #block: HashLane | undefined;
  #sizeBytes = 0;
  #firstBlock: Promise<string> | undefined;
  readonly #laterBlocks: Promise<string>[] = [];

  constructor(crew: HashCrew) {
    this.#crew = crew;
  }

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

/**
 * Encrypts one body while it streams, where its bytes lie, and digests the plain bytes as a whole: one pass on one thread,
 * after which the bytes may be written.
 */
class BodySealing implements BodyPass {
  readonly #lane: HashLane;
  #sizeBytes = 0;
  readonly #tags: Promise<string>[] = [];

  constructor(crew: HashCrew, key: BodyKey) {
    this.#lane = crew.laneFor({ kind: 'seal', key });
  }

  async update(bytes: Uint8Array): Promise<void> {
    const inBlock = this.#sizeBytes % digestBlockBytes;
    const endsBlock = inBlock + bytes.length === digestBlockBytes;
    if (inBlock + bytes.length > digestBlockBytes) throw new RangeError('a part spans two digest blocks');
    this.#sizeBytes += bytes.length;
    const done = this.#lane.update(bytes, endsBlock ? 'block' : 'none');
    if (endsBlock) this.#tags.push(done);
    await done;
  }

  async finish(): Promise<BodyShape> {
    const last = await this.#lane.update(new Uint8Array(0), 'final');
    const tags = await Promise.all(this.#tags);
    const blockDigests = tags.join('') + last.slice(digestLength);
    return { sizeBytes: this.#sizeBytes, sha256: last.slice(0, digestLength), blockDigests };
  }

  drop(): void {
    this.#lane.drop();
  }
}

/** The pass of a body of several parts: one that encrypts when there is a key. */
export function beginPass(crew: HashCrew, key: BodyKey | undefined): BodyPass {
  return key === undefined ? new BodyDigest(crew) : new BodySealing(crew, key);
}

/** The shape of a body of one small piece, digested here and now; encrypted where it lies when there is a key. */
export function shapeOfPiece(bytes: Uint8Array, key: BodyKey | undefined): BodyShape {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (key === undefined) return { sizeBytes: bytes.length, sha256, blockDigests: '' };
  const sealer = new BlockSealer(key);
  sealer.update(bytes);
  return { sizeBytes: bytes.length, sha256, blockDigests: sealer.end() };
}
