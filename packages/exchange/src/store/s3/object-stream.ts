import { copyBytes } from '../copy-bytes.ts';

/** The answer began and did not come to its end. */
export class CutShort extends Error {
  constructor(cause: unknown) {
    super('the answer of the object store was cut short', { cause });
    this.name = 'CutShort';
  }
}

/** The bytes of one answer, taken in pieces of the caller's size. */
export class ObjectStream {
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #endsAt: number;
  #position: number;
  /** What came and was not asked for yet. */
  #rest: Uint8Array = new Uint8Array(0);
  #done = false;

  constructor(range: { readonly sizeBytes: number; readonly pieces: AsyncIterable<Uint8Array> }, start: number) {
    this.#pieces = range.pieces[Symbol.asyncIterator]();
    this.#position = start;
    this.#endsAt = start + range.sizeBytes;
  }

  /** Where in the object the next byte lies. */
  get position(): number {
    return this.#position;
  }

  get ended(): boolean {
    return this.#position === this.#endsAt;
  }

  /**
   * Fills the memory as far as the object goes; resolves to the bytes it filled and tells of progress. Rejects with `CutShort`
   * when fewer bytes come than the answer promised.
   */
  async fill(bytes: Buffer, arrived: (upTo: number) => void): Promise<number> {
    let got = 0;
    while (got < bytes.length && !this.ended) {
      if (this.#rest.length === 0) this.#rest = await this.#next();
      const taken = Math.min(this.#rest.length, bytes.length - got);
      copyBytes(bytes, got, this.#rest, 0, taken);
      this.#rest = this.#rest.subarray(taken);
      this.#position += taken;
      got += taken;
      arrived(got);
    }
    return got;
  }

  /** Lets go of the connection. */
  async close(): Promise<void> {
    if (this.#done) return;
    this.#done = true;
    try {
      await this.#pieces.return?.();
    } catch {
      // It was cut already; who asked for the bytes has been told.
    }
  }

  async #next(): Promise<Uint8Array> {
    let step: IteratorResult<Uint8Array>;
    try {
      step = await this.#pieces.next();
    } catch (error) {
      this.#done = true;
      throw new CutShort(error);
    }
    if (step.done === true) throw new CutShort(undefined);
    if (step.value.length > this.#endsAt - this.#position) throw new Error('the store gave more than it promised');
    return step.value;
  }
}
