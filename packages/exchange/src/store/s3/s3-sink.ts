import { BodyFault, type BodyKey, type BodyRef, type BodyShape, type BodySink } from '../bodies.ts';
import { copyBytes } from '../copy-bytes.ts';
import type { BufferPool, IdleHolder } from '../transfer/buffer-pool.ts';
import { EndingSink } from '../transfer/ending-sink.ts';
import type { HashCrew } from '../transfer/hash-crew.ts';
import type { SeedShelf } from '../transfer/seed-shelf.ts';
import type { ObjectStore } from './object-store.ts';
import { PartUpload } from './part-upload.ts';
import { s3Fault } from './s3-fault.ts';
import { Spill } from './spill.ts';

/** What the sinks of one store share. */
export interface SinkRoom {
  readonly objects: ObjectStore;
  readonly seeds: SeedShelf;
  /** Buffers of one part each; a part is a multiple of the digest block. */
  readonly parts: BufferPool;
  readonly crew: HashCrew;
  readonly freshKey: () => BodyRef;
  readonly onEnd: (sink: BodySink) => void;
}

/**
 * A body on its way to an object. Bytes are collected in a seed of 64 KiB that every sink may have; when that overflows
 * the sink takes the memory of a whole part, waiting for it if it must while it holds no other. A full part goes to the
 * store and to the hash at the same time. A part that waits for its peer is idle: if another sink waits for memory,
 * what came so far is put aside in the store, for a store takes no small parts but the last, and fetched back when the
 * peer goes on.
 */
export class S3BodySink extends EndingSink implements IdleHolder {
  readonly #room: SinkRoom;
  readonly #upload: PartUpload;
  readonly #encrypts: boolean;
  #memory: Buffer | undefined;
  #memoryIsPart = false;
  #usedBytes = 0;
  /** What came before the bytes in the seed. */
  #spill: Spill | undefined;
  /** A fault of memory that was to be fetched back. */
  #fault: BodyFault | undefined;
  readonly #tidying = new Set<Promise<void>>();

  constructor(room: SinkRoom, ref: BodyRef, key: BodyKey | undefined) {
    super(ref, room.onEnd);
    this.#room = room;
    this.#encrypts = key !== undefined;
    this.#upload = new PartUpload(room, ref, key);
  }

  giveUp(): void {
    const memory = this.#memory;
    if (memory === undefined || !this.#memoryIsPart) return;
    const spill = new Spill(
      this.#room.objects,
      this.#room.freshKey(),
      memory.subarray(0, this.#usedBytes),
      this.#encrypts,
    );
    this.#spill = spill;
    this.#forgetMemory();
    this.#tidy(this.#giveAfter(spill.settled(), memory, true));
  }

  /** Gives memory back when nobody looks at it any more. */
  async #giveAfter(use: Promise<void>, memory: Buffer, isPart: boolean): Promise<void> {
    const { parts, seeds } = this.#room;
    if (isPart) parts.countReturning(1);
    await use;
    if (!isPart) {
      seeds.give(memory);
      return;
    }
    parts.countReturning(-1);
    parts.give(memory);
  }

  protected get fault(): BodyFault | undefined {
    return this.#fault ?? this.#upload.fault;
  }

  protected copy(bytes: Uint8Array): number {
    let taken = 0;
    while (taken < bytes.length && this.#hasRoom()) {
      const memory = this.#memory ?? this.#begin();
      const end = Math.min(bytes.length, taken + memory.length - this.#usedBytes);
      copyBytes(memory, this.#usedBytes, bytes, taken, end);
      this.#usedBytes += end - taken;
      taken = end;
      if (this.#memoryIsPart && this.#usedBytes === memory.length) this.#dispatch();
    }
    if (this.#memoryIsPart) this.#room.parts.markIdle(this);
    return taken;
  }

  protected async copyRest(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#upload.isBusy) await this.#upload.oneLess();
      else if (!this.#hasRoom()) await this.#grow(await this.#room.parts.take());
      if (this.fault !== undefined) throw this.fault;
      if (!this.isOpen) throw new BodyFault('io', 'the body was dropped');
      rest = rest.subarray(this.copy(rest));
    }
  }

  /** Whether a byte can be taken without waiting; moves from a full seed to a part if one is free. */
  #hasRoom(): boolean {
    if (this.#memory === undefined) return !this.#upload.isBusy;
    if (this.#usedBytes < this.#memory.length) return true;
    const part = this.#upload.isBusy || this.#spill !== undefined ? undefined : this.#room.parts.tryTake();
    if (part !== undefined) this.#moveTo(part, 0);
    return part !== undefined;
  }

  #begin(): Buffer {
    // A body that already filled a part goes on with another if nobody waits for it.
    const part = this.#upload.hasParts && this.#spill === undefined ? this.#room.parts.tryTake() : undefined;
    this.#memoryIsPart = part !== undefined;
    this.#usedBytes = 0;
    this.#memory = part ?? this.#room.seeds.take();
    return this.#memory;
  }

  /** Moves from the seed to a part, behind what was put aside. Keeps a fault for the next call. */
  async #grow(part: Buffer): Promise<void> {
    const spill = this.#spill;
    try {
      if (this.#memoryIsPart || this.isDiscarded) throw new BodyFault('io', 'the body was dropped');
      await spill?.load(part);
    } catch (error) {
      this.#fault ??= s3Fault('fetching back what was put aside', error);
      this.#room.parts.give(part);
      return;
    }
    this.#spill = undefined;
    if (spill !== undefined) this.#tidy(spill.remove());
    this.#moveTo(part, spill?.sizeBytes ?? 0);
  }

  #moveTo(part: Buffer, afterBytes: number): void {
    const seed = this.#memory;
    const seedBytes = this.#usedBytes;
    this.#memory = part;
    this.#memoryIsPart = true;
    this.#usedBytes = afterBytes + seedBytes;
    if (seed === undefined) return;
    copyBytes(part, afterBytes, seed, 0, seedBytes);
    this.#room.seeds.give(seed);
  }

  #dispatch(): void {
    const memory = this.#memory;
    if (memory === undefined) return;
    const isPart = this.#memoryIsPart;
    const bytes = memory.subarray(0, this.#usedBytes);
    this.#forgetMemory();
    this.#tidy(this.#giveAfter(this.#upload.send(bytes), memory, isPart));
  }

  #forgetMemory(): void {
    this.#room.parts.unmarkIdle(this);
    this.#memory = undefined;
    this.#memoryIsPart = false;
    this.#usedBytes = 0;
  }

  #tidy(work: Promise<void>): void {
    const one = work.finally(() => this.#tidying.delete(one));
    this.#tidying.add(one);
  }

  protected async store(): Promise<BodyShape> {
    this.#room.parts.unmarkIdle(this);
    if (this.#spill !== undefined) await this.#grow(await this.#room.parts.take());
    if (this.fault !== undefined) throw this.fault;
    const shape = await this.#finishUpload();
    await Promise.all(this.#tidying);
    return shape;
  }

  protected faultOf(error: unknown): BodyFault {
    return s3Fault('finishing a body', error);
  }

  async #finishUpload(): Promise<BodyShape> {
    if (this.#upload.hasParts) {
      this.#dispatch();
      return this.#upload.finishParts();
    }
    const memory = this.#memory ?? Buffer.alloc(0);
    const isPart = this.#memoryIsPart;
    const storing = this.#upload.finishWhole(memory.subarray(0, this.#usedBytes), isPart);
    if (this.#memory !== undefined) {
      this.#forgetMemory();
      this.#tidy(this.#giveAfter(storing.then(ignore, ignore), memory, isPart));
    }
    return storing;
  }

  #release(): void {
    const memory = this.#memory;
    if (memory === undefined) return;
    if (this.#memoryIsPart) this.#room.parts.give(memory);
    else this.#room.seeds.give(memory);
    this.#forgetMemory();
  }

  /** Gives all memory back and takes the object back; what will not go is left to the orphan sweep. */
  protected async drop(): Promise<void> {
    this.#release();
    const spill = this.#spill;
    this.#spill = undefined;
    if (spill !== undefined) this.#tidy(spill.remove());
    await this.#upload.drop();
    await Promise.all(this.#tidying);
  }
}

function ignore(): void {
  // The outcome is told elsewhere.
}
