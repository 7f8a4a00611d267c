import { BodyAborted, type IncomingBody } from '../../message/incoming-body.ts';
import { countBodyGarbage } from '../body-garbage.ts';
import type { Framing } from './request-head.ts';
import { TransferDecoder } from './transfer-decoder.ts';

/** What a taker says of a piece: go on, stop here, or go on when this is done. */
type Taken = 'more' | 'enough' | Promise<void>;

/** Bytes that may wait for somebody to ask for them: a small body comes with its head or right behind it. */
const unaskedBytesMax = 64 * 1024;

/** The way bytes come: stopped while nobody takes them, so that memory never holds more than was asked for. */
export interface Flow {
  pause(): void;
  resume(): void;
}

interface Taker {
  readonly take: (piece: Buffer) => Taken;
  readonly resolve: (ended: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** The body of one request, fed by its connection and taken by whoever serves the request. */
export class RequestBody implements IncomingBody {
  readonly declaredBytes: number | undefined;
  readonly #flow: Flow;
  readonly #decoder: TransferDecoder | undefined;
  #leftBytes: number;
  #arrivedBytes = 0;
  #queue: Buffer[] = [];
  /** How many of `#queue` are handed on. Not shifted off: a sender may cut its body into single bytes, and time would stand still. */
  #handedOn = 0;
  #unaskedBytes = 0;
  #taker: Taker | undefined;
  #blocked = false;
  #failure: Error | undefined;

  constructor(framing: Framing, lengthDeclared: boolean, flow: Flow) {
    this.#flow = flow;
    this.#decoder = framing.kind === 'chunked' ? new TransferDecoder() : undefined;
    this.#leftBytes = framing.kind === 'chunked' ? 0 : framing.bytes;
    this.declaredBytes = lengthDeclared ? this.#leftBytes : undefined;
  }

  /** Whether the whole body has arrived. */
  get arrived(): boolean {
    return this.#decoder === undefined ? this.#leftBytes === 0 : this.#decoder.ended;
  }

  /** Bytes of the body that came, whatever its length was said to be and whoever took them. */
  get arrivedBytes(): number {
    return this.#arrivedBytes;
  }

  /** Takes in what has come; answers how many bytes of it were the body's, or -1 when its framing is broken. */
  feed(bytes: Buffer): number {
    if (this.#decoder !== undefined) {
      const used = this.#decoder.push(bytes, (piece) => this.#arrive(piece));
      if (used >= 0 && this.#decoder.ended) this.#proceed();
      return used;
    }
    const piece = bytes.length <= this.#leftBytes ? bytes : bytes.subarray(0, this.#leftBytes);
    if (piece.length === 0) return 0;
    this.#leftBytes -= piece.length;
    this.#arrive(piece);
    if (this.#leftBytes === 0) this.#proceed();
    return piece.length;
  }

  /** Nothing more will come: whoever waits for it is told. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#queue = [];
    this.#handedOn = 0;
    const taker = this.#taker;
    this.#taker = undefined;
    taker?.reject(error);
  }

  head(bytesMax: number): Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly ended: boolean }> {
    const whole = this.#wholeIfHere();
    // Copied: what is kept must not hold on to the network's larger buffer.
    if (whole !== undefined) return Promise.resolve({ bytes: new Uint8Array(whole), ended: true });
    return this.#gather(bytesMax);
  }

  async rest(take: (bytes: Uint8Array) => Promise<void> | undefined): Promise<void> {
    await this.#pump((piece) => {
      countBodyGarbage(piece.length);
      return take(piece) ?? 'more';
    });
  }

  /**
   * Reads and drops what is left, up to `bytesMax`, so that the caller sees a status and not a reset connection.
   * Resolves to false when there was more.
   */
  async drain(bytesMax: number): Promise<boolean> {
    if (this.arrived && this.#queue.length === 0) return true;
    if (this.#leftBytes > bytesMax) return false;
    let left = bytesMax;
    try {
      return await this.#pump((piece) => {
        left -= piece.length;
        return left < 0 ? 'enough' : 'more';
      });
    } catch {
      // Nobody is left to answer; whoever writes the answer finds that out.
      return true;
    }
  }

  /** The body when it came with its head, in one piece, as small ones do. */
  #wholeIfHere(): Buffer | undefined {
    if (!this.arrived || this.#queue.length > 1 || this.#failure !== undefined) return undefined;
    const whole = this.#queue[0] ?? Buffer.alloc(0);
    this.#queue = [];
    return whole;
  }

  async #gather(bytesMax: number): Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly ended: boolean }> {
    // Pieces are copied as they come: a body sent a byte at a time would else be held as thousands of buffers.
    const expected = Math.min(this.declaredBytes ?? 0, bytesMax);
    let held = new Uint8Array(expected);
    let length = 0;
    const ended = await this.#pump((piece) => {
      const needed = length + piece.length;
      if (needed > held.length) {
        const larger = new Uint8Array(Math.max(needed, 2 * length));
        larger.set(held.subarray(0, length));
        held = larger;
      }
      held.set(piece, length);
      length = needed;
      return length > bytesMax ? 'enough' : 'more';
    });
    return { bytes: held.length === length ? held : held.slice(0, length), ended };
  }

  /** Feeds pieces to `take` until it answers 'enough' (false) or the body ends (true). Rejects when the caller goes. */
  #pump(take: (piece: Buffer) => Taken): Promise<boolean> {
    if (this.#taker !== undefined) throw new Error('the body is being read already');
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#taker = { take, resolve, reject };
      this.#proceed();
    });
  }

  #arrive(piece: Buffer): void {
    this.#arrivedBytes += piece.length;
    if (this.#failure !== undefined) return;
    this.#queue.push(piece);
    if (this.#blocked) this.#flow.pause();
    else if (this.#taker !== undefined) this.#proceed();
    else {
      this.#unaskedBytes += piece.length;
      if (this.#unaskedBytes > unaskedBytesMax && !this.arrived) this.#flow.pause();
    }
  }

  /** Hands on what waits, and says so when all has been handed on. */
  #proceed(): void {
    while (this.#taker !== undefined && !this.#blocked) {
      const piece = this.#nextPiece();
      if (piece === undefined) break;
      this.#give(this.#taker, piece);
    }
    if (this.#taker === undefined || this.#blocked) return;
    if (this.arrived) this.#settle(true);
    else this.#flow.resume();
  }

  #nextPiece(): Buffer | undefined {
    const piece = this.#queue[this.#handedOn];
    this.#handedOn += 1;
    if (this.#handedOn < this.#queue.length) return piece;
    this.#queue = [];
    this.#handedOn = 0;
    return piece;
  }

  #give(taker: Taker, piece: Buffer): void {
    try {
      const taken = taker.take(piece);
      if (taken === 'enough') this.#settle(false);
      else if (taken !== 'more') {
        this.#blocked = true;
        this.#flow.pause();
        taken.then(this.#unblock, this.#giveUp);
      }
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #settle(ended: boolean): void {
    const taker = this.#taker;
    this.#taker = undefined;
    taker?.resolve(ended);
  }

  readonly #unblock = (): void => {
    this.#blocked = false;
    this.#proceed();
  };

  readonly #giveUp = (error: unknown): void => {
    const taker = this.#taker;
    this.#taker = undefined;
    this.#blocked = false;
    taker?.reject(error instanceof Error ? error : new BodyAborted());
  };
}
