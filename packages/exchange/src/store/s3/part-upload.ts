import { createHash } from 'node:crypto';
import { type BodyFault, type BodyKey, type BodyRef, type BodyShape, digestBlockBytes } from '../bodies.ts';
import { type BodyPass, beginPass, shapeOfPiece } from '../transfer/body-digest.ts';
import type { HashCrew } from '../transfer/hash-crew.ts';
import type { ObjectStore, OpenUpload } from './object-store.ts';
import { s3Fault } from './s3-fault.ts';

/** Parts of one body on their way at a time. */
export const partsInFlightMax = 4;

/**
 * One object on its way to the store: whole when it has one part, else in parts side by side. Each part is hashed
 * twice on its way, for the body and for its blocks; where the body has a key it is hashed and encrypted, and then sent.
 */
export class PartUpload {
  readonly #objects: ObjectStore;
  readonly #ref: BodyRef;
  readonly #crew: HashCrew;
  readonly #key: BodyKey | undefined;
  readonly #pass: BodyPass;
  readonly #stopped = new AbortController();
  readonly #parts = new Set<Promise<void>>();
  readonly #tags: string[] = [];
  #begun: Promise<OpenUpload> | undefined;
  #fault: BodyFault | undefined;
  #partCount = 0;
  #putWhole = false;

  constructor(
    parts: { readonly objects: ObjectStore; readonly crew: HashCrew },
    ref: BodyRef,
    key: BodyKey | undefined,
  ) {
    this.#objects = parts.objects;
    this.#crew = parts.crew;
    this.#ref = ref;
    this.#key = key;
    this.#pass = beginPass(parts.crew, key);
  }

  /** What went wrong with a part; kept for the next call of the body's sender. */
  get fault(): BodyFault | undefined {
    return this.#fault;
  }

  get hasParts(): boolean {
    return this.#partCount > 0;
  }

  get isBusy(): boolean {
    return this.#parts.size >= partsInFlightMax;
  }

  /** Settles when one part less is on its way. */
  async oneLess(): Promise<void> {
    await Promise.race(this.#parts);
  }

  /** Sends the next part, in shared memory that must not change before the promise settles. It never rejects. */
  send(bytes: Buffer): Promise<void> {
    this.#partCount += 1;
    const part = this.#carry(bytes, this.#partCount).finally(() => this.#parts.delete(part));
    this.#parts.add(part);
    return part;
  }

  /** Stores a body of one part, in memory that is `shared` with the hash threads or small. Rejects with `BodyFault`. */
  async finishWhole(bytes: Buffer, shared: boolean): Promise<BodyShape> {
    try {
      const shape = shared ? await this.#shapeOf(bytes) : shapeOfPiece(bytes, this.#key);
      this.#putWhole = true;
      await this.#objects.put(this.#ref, bytes, () => this.#sentDigest(bytes, shape, shared), this.#stopped.signal);
      return shape;
    } catch (error) {
      throw s3Fault('storing a body', error);
    }
  }

  /** SHA-256 of the bytes as they are sent. */
  #sentDigest(bytes: Buffer, shape: BodyShape, shared: boolean): Promise<string> {
    if (this.#key === undefined) return Promise.resolve(shape.sha256);
    return shared ? this.#crew.digest(bytes) : Promise.resolve(createHash('sha256').update(bytes).digest('hex'));
  }

  /** Completes a body of several parts. Rejects with `BodyFault`. */
  async finishParts(): Promise<BodyShape> {
    await Promise.all(this.#parts);
    if (this.#fault !== undefined) throw this.#fault;
    try {
      const shape = await this.#pass.finish();
      const upload = await this.#begun;
      if (upload === undefined) throw new Error('a body in parts has no upload');
      await this.#objects.completeParts(upload, this.#tags, shape.sizeBytes);
      return shape;
    } catch (error) {
      throw s3Fault('completing a body', error);
    }
  }

  /** Takes everything back. Never rejects; what will not go is left to the orphan sweep. */
  async drop(): Promise<void> {
    this.#stopped.abort();
    await Promise.all(this.#parts);
    this.#pass.drop();
    const upload = await this.#begun?.catch(() => undefined);
    if (upload !== undefined) await this.#objects.abortParts(upload).catch(() => undefined);
    // A completion or a whole object whose answer was lost may be there all the same.
    if (upload !== undefined || this.#putWhole) await this.#objects.remove([this.#ref]).catch(() => undefined);
  }

  async #shapeOf(bytes: Buffer): Promise<BodyShape> {
    await this.#hash(bytes);
    return this.#pass.finish();
  }

  async #carry(bytes: Buffer, number: number): Promise<void> {
    // Both must be done with the memory before it is used again, also when one of them failed.
    const passed = this.#hash(bytes);
    const stored = this.#key === undefined ? this.#store(bytes, number) : passed.then(() => this.#store(bytes, number));
    const done = await Promise.allSettled([passed, stored]);
    for (const one of done) {
      if (one.status === 'rejected') this.#fault ??= s3Fault('storing a body', one.reason);
    }
  }

  /** Told of in one go: the jobs of a lane keep their order. */
  async #hash(bytes: Buffer): Promise<void> {
    const updates: Promise<void>[] = [];
    for (let at = 0; at < bytes.length; at += digestBlockBytes) {
      updates.push(this.#pass.update(bytes.subarray(at, at + digestBlockBytes)));
    }
    for (const update of await Promise.allSettled(updates)) if (update.status === 'rejected') throw update.reason;
  }

  async #store(bytes: Buffer, number: number): Promise<void> {
    if (this.#fault !== undefined) return;
    const { signal } = this.#stopped;
    this.#begun ??= this.#objects.beginParts(this.#ref, signal).then((uploadId) => ({ name: this.#ref, uploadId }));
    const upload = await this.#begun;
    this.#tags[number - 1] = await this.#objects.putPart(upload, number, bytes, () => this.#crew.digest(bytes), signal);
  }
}
