import { createHash, randomBytes } from 'node:crypto';
import { BlockOpener, BlockSealer } from '../block-cipher.ts';
import { BodyFault, type BodyRef } from '../bodies.ts';
import { copyBytes } from '../copy-bytes.ts';
import type { ObjectStore } from './object-store.ts';

/**
 * The beginning of a part whose sender is slow, put aside as an object of its own so that its memory can serve others.
 * It lies under a fresh name like a body's: should the process die, the orphan sweep finds it. Of a body that is encrypted
 * it is encrypted where it lies, under a key that nothing but this process ever has.
 */
export class Spill {
  readonly sizeBytes: number;
  readonly #objects: ObjectStore;
  readonly #ref: BodyRef;
  readonly #sha256: string;
  readonly #sealed: { readonly key: Uint8Array; readonly tag: string } | undefined;
  readonly #stored: Promise<void>;

  /** Begins to store the bytes, which must not change before `settled`. */
  constructor(objects: ObjectStore, ref: BodyRef, bytes: Uint8Array, encrypts: boolean) {
    this.sizeBytes = bytes.length;
    this.#objects = objects;
    this.#ref = ref;
    this.#sealed = encrypts ? sealed(bytes) : undefined;
    this.#sha256 = createHash('sha256').update(bytes).digest('hex');
    this.#stored = objects.put(ref, bytes, () => Promise.resolve(this.#sha256));
    // Told to whoever asks for the bytes back.
    this.#stored.catch(() => undefined);
  }

  /** Settles, and never rejects, when nobody looks at the memory any more. */
  async settled(): Promise<void> {
    await this.#stored.catch(() => undefined);
  }

  /** Fetches the bytes back into `memory`, checked. */
  async load(memory: Buffer): Promise<void> {
    await this.#stored;
    const { pieces } = await this.#objects.range(this.#ref, 0, this.sizeBytes);
    let at = 0;
    for await (const piece of pieces) {
      copyBytes(memory, at, piece, 0, Math.min(piece.length, this.sizeBytes - at));
      at += piece.length;
    }
    const digest = createHash('sha256').update(memory.subarray(0, this.sizeBytes)).digest('hex');
    if (at !== this.sizeBytes || digest !== this.#sha256) {
      throw new BodyFault('io', 'the object store gave other bytes than were put aside');
    }
    if (this.#sealed === undefined) return;
    const opener = new BlockOpener(this.#sealed.key, 0, this.#sealed.tag);
    opener.update(memory.subarray(0, this.sizeBytes));
    if (opener.end() === '') throw new BodyFault('io', 'what was put aside does not open');
  }

  /** Removes the object; what cannot be removed is left to the orphan sweep. */
  async remove(): Promise<void> {
    await this.settled();
    await this.#objects.remove([this.#ref]).catch(() => undefined);
  }
}

function sealed(bytes: Uint8Array): { readonly key: Uint8Array; readonly tag: string } {
  const key = new Uint8Array(randomBytes(32));
  const sealer = new BlockSealer(key);
  sealer.update(bytes);
  return { key, tag: sealer.end() };
}
