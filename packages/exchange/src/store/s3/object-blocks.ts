import { BodyFault, type BodyRef } from '../bodies.ts';
import { ArrivingBlock, type BlockOpening } from '../transfer/arriving-block.ts';
import type { BlockOrigin } from '../transfer/block-reader.ts';
import type { HashCrew } from '../transfer/hash-crew.ts';
import type { ObjectStore } from './object-store.ts';
import { CutShort, ObjectStream } from './object-stream.ts';
import { isMissing, s3Fault } from './s3-fault.ts';

/** A block whose bytes stopped half way is asked for so often in all. */
const attemptsMax = 3;
/** A consumer that takes longer over a block than this does not keep a connection of the store waiting. */
const patienceMs = 2_000;

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
  return new ObjectBlocks(objects, crew, ref, sizeBytes);
}

/**
 * The blocks of one object. While the consumer keeps up they come by one long request; one that does not is served by a
 * request a block, so that nothing of the store is held while it sends a block on.
 */
class ObjectBlocks implements BlockOrigin {
  readonly #objects: ObjectStore;
  readonly #crew: HashCrew;
  readonly #ref: BodyRef;
  readonly #sizeBytes: number;
  readonly #closed = new AbortController();
  #stream: ObjectStream | undefined;
  #timer: NodeJS.Timeout | undefined;
  #consumerIsSlow = false;

  constructor(objects: ObjectStore, crew: HashCrew, ref: BodyRef, sizeBytes: number) {
    this.#objects = objects;
    this.#crew = crew;
    this.#ref = ref;
    this.#sizeBytes = sizeBytes;
  }

  async fetch(bytes: Buffer, start: number, block: number, opening?: BlockOpening): Promise<string> {
    clearTimeout(this.#timer);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const digest = await this.#fetchOnce(bytes, start, block, opening);
        this.#wait();
        return digest;
      } catch (error) {
        await this.#drop();
        if (error instanceof BodyFault) throw error;
        if (isMissing(error)) throw new BodyFault('missing', 'no body of this name', { cause: error });
        // What failed before any byte came was tried again by the client already.
        if (!(error instanceof CutShort) || attempt === attemptsMax || this.#closed.signal.aborted) throw error;
      }
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#closed.abort();
    await this.#drop();
  }

  async #fetchOnce(bytes: Buffer, start: number, block: number, opening?: BlockOpening): Promise<string> {
    const stream = await this.#streamAt(start, bytes.length);
    const arriving = new ArrivingBlock(this.#crew, bytes, opening);
    try {
      const got = await stream.fill(bytes, (upTo) => arriving.arrived(upTo));
      if (got < bytes.length) throw new BodyFault('corrupt', `the object ends within block ${block}`, { block });
      return await arriving.digest();
    } catch (error) {
      await arriving.giveUp();
      throw error;
    }
  }

  async #streamAt(start: number, blockBytes: number): Promise<ObjectStream> {
    // One that has ended stands where the next block begins, and gives nothing of it.
    if (this.#stream?.position === start && !this.#stream.ended) return this.#stream;
    await this.#drop();
    const length = this.#consumerIsSlow ? blockBytes : this.#sizeBytes - start;
    const range = await this.#objects.range(this.#ref, start, length, this.#closed.signal);
    this.#stream = new ObjectStream(range, start);
    return this.#stream;
  }

  /** The consumer has a block to send; see whether it comes for the next in time. */
  #wait(): void {
    const stream = this.#stream;
    if (stream === undefined || stream.ended) return;
    this.#timer = setTimeout(() => {
      this.#consumerIsSlow = true;
      void this.#drop();
    }, patienceMs);
    this.#timer.unref();
  }

  async #drop(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    await stream?.close();
  }
}
