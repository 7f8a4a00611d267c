import { type Blobs, isBlobName } from '../blobs.ts';
import { BodyFault } from '../bodies.ts';
import { digestOf, type ObjectStore } from './object-store.ts';
import { isMissing, s3Fault } from './s3-fault.ts';

/** Above the least a store takes as a part; 10,000 of them are 80 GiB. */
const partBytes = 8 * 1024 * 1024;
const attemptsMax = 3;

/** Blobs as objects under a prefix of a bucket. */
export class S3Blobs implements Blobs {
  readonly #objects: ObjectStore;

  constructor(objects: ObjectStore) {
    this.#objects = objects;
  }

  async size(name: string): Promise<number | undefined> {
    return this.#during('looking for a copy', () => this.#objects.sizeOf(checked(name)));
  }

  /** Goes on where it was when the bytes stop half way. */
  async *read(name: string): AsyncGenerator<Uint8Array, void, void> {
    const size = await this.size(name);
    if (size === undefined) throw new BodyFault('missing', 'there is no copy of this name');
    let position = 0;
    for (let attempt = 1; position < size; attempt += 1) {
      try {
        const { pieces } = await this.#objects.range(name, position, size - position);
        for await (const piece of pieces) {
          position += piece.length;
          attempt = 1;
          yield piece;
        }
        if (position < size && attempt >= attemptsMax)
          throw new BodyFault('io', 'the store gave fewer bytes than it has');
      } catch (error) {
        if (attempt >= attemptsMax || isMissing(error)) throw s3Fault('reading a copy', error);
      }
    }
  }

  async write(name: string, pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    checked(name);
    const upload = new Upload(this.#objects, name);
    try {
      for await (const piece of pieces) await upload.add(piece);
      await upload.finish();
    } catch (error) {
      await upload.drop();
      // What the giver of the bytes threw is the giver's to explain.
      throw upload.failed ? s3Fault('writing a copy', error) : error;
    }
  }

  async *list(start: string): AsyncGenerator<string, void, void> {
    try {
      for await (const { name } of this.#objects.list(start)) if (isBlobName(name)) yield name;
    } catch (error) {
      throw s3Fault('listing copies', error);
    }
  }

  async remove(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    await this.#during('removing copies', () => this.#objects.remove(names.map(checked)));
  }

  close(): void {
    this.#objects.close();
  }

  async #during<R>(doing: string, work: () => Promise<R>): Promise<R> {
    try {
      return await work();
    } catch (error) {
      throw s3Fault(doing, error);
    }
  }
}

/** One object on its way: in one request when it is small, else part by part. */
class Upload {
  failed = false;
  readonly #objects: ObjectStore;
  readonly #name: string;
  readonly #part = Buffer.allocUnsafe(partBytes);
  #used = 0;
  #uploadId: string | undefined;
  #sizeBytes = 0;
  readonly #tags: string[] = [];

  constructor(objects: ObjectStore, name: string) {
    this.#objects = objects;
    this.#name = name;
  }

  async add(piece: Uint8Array): Promise<void> {
    for (let at = 0; at < piece.length; ) {
      const taken = Math.min(partBytes - this.#used, piece.length - at);
      this.#part.set(piece.subarray(at, at + taken), this.#used);
      this.#used += taken;
      at += taken;
      if (this.#used === partBytes) await this.#noting(() => this.#sendPart());
    }
  }

  async finish(): Promise<void> {
    await this.#noting(async () => {
      const bytes = this.#part.subarray(0, this.#used);
      if (this.#uploadId === undefined) {
        await this.#objects.put(this.#name, bytes, () => digestOf(bytes));
        return;
      }
      if (this.#used > 0) await this.#sendPart();
      const upload = { name: this.#name, uploadId: this.#uploadId };
      await this.#objects.completeParts(upload, this.#tags, this.#sizeBytes);
    });
  }

  async drop(): Promise<void> {
    if (this.#uploadId === undefined) return;
    await this.#objects.abortParts({ name: this.#name, uploadId: this.#uploadId }).catch(() => undefined);
  }

  async #sendPart(): Promise<void> {
    this.#uploadId ??= await this.#objects.beginParts(this.#name);
    const bytes = this.#part.subarray(0, this.#used);
    const upload = { name: this.#name, uploadId: this.#uploadId };
    this.#tags.push(await this.#objects.putPart(upload, this.#tags.length + 1, bytes, () => digestOf(bytes)));
    this.#sizeBytes += this.#used;
    this.#used = 0;
  }

  async #noting(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.failed = true;
      throw error;
    }
  }
}

function checked(name: string): string {
  if (!isBlobName(name)) throw new BodyFault('missing', 'there is no copy of this name');
  return name;
}
