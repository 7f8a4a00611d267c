import { write, writeSync } from 'node:fs';

/** Node's, but for a test that has it fail. */
export type WriteBytes = (
  descriptor: number,
  bytes: Buffer,
  done: (error: NodeJS.ErrnoException | null, written: number) => void,
) => void;

/** Beyond it, bytes, lines are dropped: a log that cannot be written must not take the memory of the exchange. */
const waitingBytesMax = 8 * 1024 * 1024;
/** Lines written together, bytes. */
const pieceBytesMax = 64 * 1024;
/** What could not be written is tried again after so long: a disk that was full has room again, a reader goes on. */
const retryMs = 100;
/** A write that takes longer has a reader who stopped. */
const stuckMs = 2000;

/**
 * Lines on their way to a descriptor. Nobody waits for them and nobody fails with them: while the disk of the log is
 * full, or its reader has stopped, they wait here, whole and in order, and the exchange goes on.
 */
export class LogOutput {
  readonly #descriptor: number;
  readonly #write: WriteBytes;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** On its way; its beginning may be written already. */
  #piece: Buffer | undefined;
  #beganMs = 0;
  /** The piece, while it waits to be tried again. */
  #unwritten: Buffer | undefined;
  /** Nobody reads any more. */
  #isClosed = false;
  #linesDropped = 0;
  #settled: (() => void)[] = [];

  constructor(descriptor: number, writeBytes: WriteBytes = write) {
    this.#descriptor = descriptor;
    this.#write = writeBytes;
  }

  /** Lines lost because too much waited, or because nobody reads. */
  get linesDropped(): number {
    return this.#linesDropped;
  }

  /** One line, its end included. */
  write(line: string): void {
    const bytes = Buffer.from(line, 'utf8');
    if (this.#isClosed || this.#waitingBytes + bytes.length > waitingBytesMax) {
      this.#linesDropped += 1;
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#piece === undefined) this.#next();
  }

  /** Resolves when everything is written, or as soon as a disk shows that it takes nothing: after 2 s at most. */
  async flush(): Promise<void> {
    if (this.#piece === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#settled.push(resolve);
    const patience = setTimeout(resolve, stuckMs);
    await promise;
    clearTimeout(patience);
  }

  /** Of a process that ends without having flushed, as by a defect: what was said last is what explains it. */
  writeLast(): void {
    const inFlight = this.#piece !== undefined && this.#unwritten === undefined;
    if (inFlight && performance.now() - this.#beganMs > stuckMs) return;
    try {
      for (const bytes of [this.#unwritten ?? Buffer.alloc(0), ...this.#waiting]) writeSync(this.#descriptor, bytes);
    } catch {
      // The log cannot be written, and there is nobody left to be told.
    }
  }

  #next(): void {
    let [taken, bytes] = [0, 0];
    for (const line of this.#waiting) {
      if (taken > 0 && bytes + line.length > pieceBytesMax) break;
      bytes += line.length;
      taken += 1;
    }
    if (taken === 0) {
      this.#piece = undefined;
      this.#settle();
      return;
    }
    this.#put(Buffer.concat(this.#waiting.splice(0, taken)));
  }

  #put(piece: Buffer): void {
    this.#piece = piece;
    this.#unwritten = undefined;
    this.#beganMs = performance.now();
    this.#write(this.#descriptor, piece, (error, written) => {
      if (error !== null) this.#failed(error, piece);
      else {
        this.#waitingBytes -= written;
        const rest = piece.subarray(written);
        if (rest.length > 0) this.#put(rest);
        else this.#next();
      }
    });
  }

  #failed(error: NodeJS.ErrnoException, piece: Buffer): void {
    if (error.code === 'EPIPE') {
      this.#isClosed = true;
      this.#linesDropped += this.#waiting.length;
      this.#waiting = [];
      this.#waitingBytes = 0;
      this.#next();
      return;
    }
    this.#unwritten = piece;
    // A reader that is behind goes on in a moment, and a flush waits for it; a disk that is full does not.
    if (error.code !== 'EAGAIN') this.#settle();
    setTimeout(() => this.#put(piece), retryMs).unref();
  }

  #settle(): void {
    for (const resolve of this.#settled) resolve();
    this.#settled = [];
  }
}
