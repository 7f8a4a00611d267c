import { BodyFault, type BodyRef } from '../bodies.ts';
import { ArrivingBlock } from '../transfer/arriving-block.ts';
import type { BlockOrigin } from '../transfer/block-reader.ts';
import { copyBytes } from '../transfer/copy-bytes.ts';
import type { HashCrew } from '../transfer/hash-crew.ts';
import type { ObjectStore } from './object-store.ts';
import { isMissing, s3Fault } from './s3-fault.ts';

/** A block whose bytes stopped half way is asked for so often in all. */
const attemptsMax = 3;

interface BlocksRoom {
  readonly objects: ObjectStore;
  readonly crew: HashCrew;
}

/** The object of a body; undefined for a name the store never gave. Rejects with `BodyFault`. */
export async function openObject(
  { objects, crew }: BlocksRoom,
  ref: BodyRef | undefined,
  sizeBytes: number,
): Promise<BlockOrigin> {
  if (ref === undefined) throw new BodyFault('missing', 'no body of this name');
  // An empty body has no block whose absence would be noticed.
  if (sizeBytes === 0) {
    const found = await objects.sizeOf(ref).catch((error) => {
      throw s3Fault('opening a body', error);
    });
    if (found === undefined) throw new BodyFault('missing', 'no body of this name');
  }
  return new ObjectBlocks(objects, crew, ref);
}

/** The blocks of one object, a request each: nothing of the store is held while the consumer sends a block on. */
class ObjectBlocks implements BlockOrigin {
  readonly #objects: ObjectStore;
  readonly #crew: HashCrew;
  readonly #ref: BodyRef;
  readonly #closed = new AbortController();

  constructor(objects: ObjectStore, crew: HashCrew, ref: BodyRef) {
    this.#objects = objects;
    this.#crew = crew;
    this.#ref = ref;
  }

  async fetch(bytes: Buffer, start: number, block: number): Promise<string> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#fetchOnce(bytes, start, block);
      } catch (error) {
        if (error instanceof BodyFault) throw error;
        if (isMissing(error)) throw new BodyFault('missing', 'no body of this name', { cause: error });
        // What failed before any byte came was tried again by the client already.
        if (!(error instanceof CutShort) || attempt === attemptsMax || this.#closed.signal.aborted) throw error;
      }
    }
  }

  close(): Promise<void> {
    this.#closed.abort();
    return Promise.resolve();
  }

  async #fetchOnce(bytes: Buffer, start: number, block: number): Promise<string> {
    const { sizeBytes, pieces } = await this.#objects.range(this.#ref, start, bytes.length, this.#closed.signal);
    const arriving = new ArrivingBlock(this.#crew, bytes);
    try {
      let got = 0;
      for await (const piece of cutShort(pieces)) {
        if (got + piece.length > bytes.length) throw new Error('the store gave more than it was asked for');
        copyBytes(bytes, got, piece, 0, piece.length);
        got += piece.length;
        arriving.arrived(got);
      }
      if (got < bytes.length && got === sizeBytes)
        throw new BodyFault('corrupt', `the object ends within block ${block}`, { block });
      if (got < bytes.length) throw new CutShort(undefined);
      return await arriving.digest();
    } catch (error) {
      await arriving.giveUp();
      throw error;
    }
  }
}

/** The answer began and did not come to its end. */
class CutShort extends Error {
  constructor(cause: unknown) {
    super('the answer of the object store was cut short', { cause });
  }
}

async function* cutShort(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* pieces;
  } catch (error) {
    throw new CutShort(error);
  }
}
