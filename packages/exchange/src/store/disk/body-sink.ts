import { BodyFault, type BodyShape, digestBlockBytes } from '../bodies.ts';
import { copyBytes } from '../copy-bytes.ts';
import { type BodyPass, beginPass, shapeOfPiece } from '../transfer/body-digest.ts';
import type { IdleHolder } from '../transfer/buffer-pool.ts';
import { EndingSink } from '../transfer/ending-sink.ts';
import { diskFault } from './disk-fault.ts';
import type { SinkFile, SinkRoom } from './sink-room.ts';

/** Parts of one body at the disk and the hash at a time: enough to keep both busy, few enough to leave memory to others. */
const partsMax = 4;
/** A long body is flushed along the way, so that its end does not wait for all of it to reach the disk. */
const earlyFlushBytes = 32 * 1024 * 1024;

/**
 * A body on its way to a file. Bytes are collected in a seed of 64 KiB that every sink may have; only when that
 * overflows does the sink take a piece of 1 MiB from the pool, waiting for it if it must while it holds no other. A
 * full piece goes to the disk and to the hash at the same time and back to the pool; one that is encrypted goes to the
 * disk when it is. A piece that waits for its peer
 * is idle: if another sink waits, it is written as far as it got, and the sink goes on with a seed.
 */
export class DiskBodySink extends EndingSink implements IdleHolder {
  readonly #room: SinkRoom;
  readonly #target: SinkFile;
  /** Begun by the first part, for a small body needs none. */
  #pass: BodyPass | undefined;
  readonly #parts = new Set<Promise<void>>();
  #fault: BodyFault | undefined;
  #memory: Buffer | undefined;
  #memoryIsPiece = false;
  #usedBytes = 0;
  /** Where in the file the bytes in memory will go. */
  #position = 0;
  #unflushedBytes = 0;
  #earlyFlush: Promise<void> | undefined;

  constructor(room: SinkRoom, target: SinkFile) {
    super(target.ref, room.onEnd);
    this.#room = room;
    this.#target = target;
  }

  giveUp(): void {
    this.#dispatch();
  }

  protected get fault(): BodyFault | undefined {
    return this.#fault;
  }

  protected copy(bytes: Uint8Array): number {
    let taken = 0;
    while (taken < bytes.length && this.#hasRoom()) {
      const memory = this.#memory ?? this.#begin();
      const end = Math.min(bytes.length, taken + this.#limit(memory) - this.#usedBytes);
      copyBytes(memory, this.#usedBytes, bytes, taken, end);
      this.#usedBytes += end - taken;
      taken = end;
      if (this.#usedBytes === this.#limit(memory) && (this.#memoryIsPiece || this.#endsBlock())) this.#dispatch();
    }
    if (this.#memoryIsPiece) this.#room.pieces.markIdle(this);
    return taken;
  }

  protected async copyRest(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#parts.size >= partsMax) await Promise.race(this.#parts);
      else if (!this.#hasRoom()) this.#grow(await this.#room.pieces.take());
      if (this.#fault !== undefined) throw this.#fault;
      if (!this.isOpen) throw new BodyFault('io', 'the body was dropped');
      rest = rest.subarray(this.copy(rest));
    }
  }

  /** Whether a byte can be taken without waiting; moves from a full seed to a piece if one is free. */
  #hasRoom(): boolean {
    if (this.#memory === undefined) return this.#parts.size < partsMax;
    if (this.#usedBytes < this.#limit(this.#memory)) return true;
    const piece = this.#parts.size < partsMax ? this.#room.pieces.tryTake() : undefined;
    if (piece !== undefined) this.#grow(piece);
    return piece !== undefined;
  }

  #begin(): Buffer {
    // A body that already filled a seed goes on with a piece if nobody waits for it.
    const piece = this.#position > 0 ? this.#room.pieces.tryTake() : undefined;
    this.#memoryIsPiece = piece !== undefined;
    this.#usedBytes = 0;
    this.#memory = piece ?? this.#room.seeds.take();
    return this.#memory;
  }

  /** Moves from the full seed to a piece. */
  #grow(piece: Buffer): void {
    const seed = this.#memory;
    if (seed === undefined || this.#memoryIsPiece || !this.isOpen) {
      this.#room.pieces.give(piece);
      return;
    }
    piece.set(seed.subarray(0, this.#usedBytes));
    this.#room.seeds.give(seed);
    this.#memory = piece;
    this.#memoryIsPiece = true;
  }

  /** No part crosses the end of a digest block. */
  #limit(memory: Buffer): number {
    return Math.min(memory.length, digestBlockBytes - (this.#position % digestBlockBytes));
  }

  #endsBlock(): boolean {
    return (this.#position + this.#usedBytes) % digestBlockBytes === 0;
  }

  /** Sends what is in memory to the disk and the hash; the memory goes back when both are done with it. */
  #dispatch(): void {
    const memory = this.#memory;
    if (memory === undefined) return;
    const isPiece = this.#memoryIsPiece;
    const position = this.#position;
    const bytes = memory.subarray(0, this.#usedBytes);
    this.#memory = undefined;
    this.#memoryIsPiece = false;
    this.#position += bytes.length;
    this.#usedBytes = 0;
    if (isPiece) {
      this.#room.pieces.unmarkIdle(this);
      this.#room.pieces.countReturning(1);
    }
    const part = this.#carry(bytes, position).finally(() => {
      this.#parts.delete(part);
      if (isPiece) this.#room.pieces.countReturning(-1);
      this.#release(memory, isPiece);
    });
    this.#parts.add(part);
  }

  #release(memory: Buffer, isPiece: boolean): void {
    if (isPiece) this.#room.pieces.give(memory);
    else this.#room.seeds.give(memory);
  }

  /** Writes and hashes one part. Never rejects: a fault is kept for the next call of the caller. */
  async #carry(bytes: Buffer, position: number): Promise<void> {
    // Both must be done with the memory before it is given back, also when one of them failed.
    const done = await Promise.allSettled(this.#passAndWrite(bytes, position));
    for (const one of done) {
      if (one.status === 'rejected') this.#fault ??= diskFault('writing a body', one.reason);
    }
    this.#unflushedBytes += bytes.length;
    if (this.#unflushedBytes < earlyFlushBytes || this.#earlyFlush !== undefined || this.#fault !== undefined) return;
    this.#unflushedBytes = 0;
    this.#earlyFlush = this.#flushEarly();
  }

  #passAndWrite(bytes: Buffer, position: number): readonly Promise<void>[] {
    const { key } = this.#target;
    this.#pass ??= beginPass(this.#room.crew, key);
    const passed = this.#pass.update(bytes);
    return key === undefined
      ? [passed, this.#writeFully(bytes, position)]
      : [passed.then(() => this.#writeFully(bytes, position))];
  }

  async #flushEarly(): Promise<void> {
    try {
      await this.#target.file.sync();
    } catch (error) {
      this.#fault ??= this.#flushFailed(error);
    }
    this.#earlyFlush = undefined;
  }

  async #writeFully(bytes: Buffer, position: number): Promise<void> {
    if (this.#fault !== undefined) return;
    await this.#room.space.admit(bytes.length);
    let written = 0;
    while (written < bytes.length) {
      const taken = await this.#target.file.write(bytes.subarray(written), position + written);
      if (taken <= 0) throw new BodyFault('io', 'the disk took no bytes');
      written += taken;
    }
  }

  protected async store(): Promise<BodyShape> {
    const shape = await this.#finishBytes();
    await this.#flush();
    await this.#target.file.close();
    return shape;
  }

  protected faultOf(error: unknown): BodyFault {
    return diskFault('finishing a body', error);
  }

  async #finishBytes(): Promise<BodyShape> {
    const memory = this.#memory;
    if (this.#position === 0 && !this.#memoryIsPiece) {
      // Small: hashed here, for a round trip to another thread costs more than the hash.
      const bytes = memory?.subarray(0, this.#usedBytes) ?? Buffer.alloc(0);
      const shape = shapeOfPiece(bytes, this.#target.key);
      await this.#writeFully(bytes, 0);
      return shape;
    }
    this.#dispatch();
    await Promise.all(this.#parts);
    await this.#earlyFlush;
    if (this.#fault !== undefined) throw this.#fault;
    if (this.#pass === undefined) throw new Error('a body of parts has had one');
    return this.#pass.finish();
  }

  async #flush(): Promise<void> {
    const { file, directory } = this.#target;
    const flushed = await Promise.allSettled([file.sync(), this.#room.fileSystem.syncDirectory(directory)]);
    for (const one of flushed) if (one.status === 'rejected') throw this.#flushFailed(one.reason);
    if (this.#memory !== undefined) this.#room.seeds.give(this.#memory);
    this.#memory = undefined;
  }

  #flushFailed(error: unknown): BodyFault {
    const fault = diskFault('flushing a body', error);
    this.#room.onFlushFailure(fault);
    return fault;
  }

  /** Gives all memory back and removes the file; a file that will not go is left to the orphan sweep. */
  protected async drop(): Promise<void> {
    this.#room.pieces.unmarkIdle(this);
    if (this.#memory !== undefined) this.#release(this.#memory, this.#memoryIsPiece);
    this.#memory = undefined;
    await Promise.all(this.#parts);
    await this.#earlyFlush;
    this.#pass?.drop();
    await this.#target.file.close().catch(() => undefined);
    await this.#room.fileSystem.unlink(this.#target.path).catch(() => undefined);
  }
}
