import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { BodyAborted } from '../../message/incoming-body.ts';
import { breakOff } from './break-off.ts';
import { CallerGone } from './caller-gone.ts';
import { type Flow, RequestBody } from './request-body.ts';
import { parseRequestHead, type RequestHead } from './request-head.ts';
import { type UnreadableReason, unreadableAnswer } from './unreadable.ts';

export interface ConnectionLimits {
  readonly headerBytesMax: number;
  readonly headersTimeoutMs: number;
  /** For a whole request to arrive; also for a caller to take the next piece of its answer. */
  readonly requestTimeoutMs: number;
  readonly keepAliveMs: number;
}

/** What a connection reports to the listener it belongs to. */
export interface ConnectionOwner {
  readonly limits: ConnectionLimits;
  /** True while the exchange is stopping: every answer ends its connection. */
  readonly stopping: boolean;
  began(): void;
  ended(): void;
  handle(request: WireRequest): Promise<void>;
  unreadable(socket: Socket, reason: UnreadableReason): void;
  closed(connection: Connection): void;
}

/** A request as its handler sees it: its head, its body as it comes, and the way back. */
export interface WireRequest {
  readonly head: RequestHead;
  readonly body: RequestBody;
  readonly connection: Connection;
}

/**
 * `idle`: between requests. `head`: a head has begun. `busy`: a request is being served. `closing`: nothing more is read;
 * what comes is dropped until the answer was fetched and the caller has closed its side too, or its time is over.
 */
type State = 'idle' | 'head' | 'busy' | 'closing';

/** How long a closing connection waits for the caller to close its side, in ms, once the answer has left our hands. */
const lingerMs = 2_000;
const continueLine = 'HTTP/1.1 100 Continue\r\n\r\n';
const headEnd = '\r\n\r\n';

/**
 * One connection of HTTP/1.1: reads a request, has it served, writes its answer, and then reads the next; requests that
 * come early wait in the socket.
 */
export class Connection implements Flow {
  readonly socket: TLSSocket;
  readonly #owner: ConnectionOwner;
  #state: State = 'idle';
  /** Bytes that came and belong to no request yet. */
  #held: Buffer | undefined;
  /** Up to where `#held` was searched for the end of a head. */
  #searched = 0;
  #request: WireRequest | undefined;
  #sinceMs = performance.now();
  #served = 0;
  #paused = false;
  #headSent = false;
  #keepAlive = true;
  #peerEnded = false;
  #writingSinceMs: number | undefined;

  constructor(socket: Socket, owner: ConnectionOwner) {
    this.socket = socket as TLSSocket;
    this.#owner = owner;
    socket.on('data', (bytes: Buffer) => this.#onData(bytes));
    socket.on('end', () => this.#onEnd());
    socket.on('error', () => this.socket.destroy());
    socket.on('close', () => this.#onClose());
  }

  get headSent(): boolean {
    return this.#headSent;
  }

  get gone(): boolean {
    return this.socket.destroyed || this.#state === 'closing';
  }

  /** Whether the connection lives on after the answer that is about to be written. */
  get keepsAlive(): boolean {
    return this.#keepAlive && !this.#owner.stopping && !this.#peerEnded;
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.socket.resume();
  }

  /** Writes an answer's head, or head and body in one. Throws `CallerGone` when there is nobody. */
  begin(bytes: string | Uint8Array, keepAlive: boolean): void {
    if (this.gone) throw new CallerGone();
    this.#headSent = true;
    this.#keepAlive = keepAlive;
    if (typeof bytes === 'string') this.socket.write(bytes, 'latin1');
    else this.socket.write(bytes);
  }

  /** Resolves when the bytes have left our hands: only then may their memory be used again. */
  push(bytes: Uint8Array): Promise<void> {
    if (this.gone) return Promise.reject(new CallerGone());
    this.#writingSinceMs = performance.now();
    return new Promise((resolve, reject) => {
      const onClose = (): void => reject(new CallerGone());
      this.socket.once('close', onClose);
      this.socket.write(bytes, (error) => {
        this.socket.off('close', onClose);
        this.#writingSinceMs = undefined;
        if (error === null || error === undefined) resolve();
        else reject(new CallerGone());
      });
    });
  }

  /** The answer is written: on to the next request, or to the end. `drained`: the request was read to its end. */
  finish(drained: boolean): void {
    if (this.#state !== 'busy') return;
    this.#endRequest();
    if (!drained || !this.#keepAlive || this.#owner.stopping || this.#peerEnded) {
      this.#close();
      return;
    }
    this.#become('idle');
    this.#served += 1;
    if (this.socket.writableNeedDrain) {
      // A caller that asks and does not listen is not read from either.
      this.pause();
      this.#writingSinceMs = performance.now();
      this.socket.once('drain', () => {
        this.#writingSinceMs = undefined;
        this.#next();
      });
    } else this.#next();
  }

  /** Cuts the connection off: an answer already begun cannot be taken back, and must not be taken for whole. */
  abort(): void {
    if (this.#state === 'closing') return;
    breakOff(this.socket);
  }

  /** Ends what has taken too long; called every now and then. */
  checkTime(nowMs: number): void {
    const { headersTimeoutMs, requestTimeoutMs, keepAliveMs } = this.#owner.limits;
    const tookMs = nowMs - this.#sinceMs;
    if (this.#writingSinceMs !== undefined && nowMs - this.#writingSinceMs > requestTimeoutMs) this.socket.destroy();
    switch (this.#state) {
      case 'idle':
        if (this.#served > 0 && tookMs > keepAliveMs) this.#close();
        else if (this.#served === 0 && tookMs > headersTimeoutMs) this.#refuse('request-timeout');
        break;
      case 'head':
        if (tookMs > headersTimeoutMs) this.#refuse('request-timeout');
        break;
      case 'busy':
        if (tookMs > requestTimeoutMs && this.#request?.body.arrived === false) this.#refuse('request-timeout');
        break;
      case 'closing':
        if (this.#writingSinceMs === undefined && tookMs > lingerMs) this.socket.destroy();
        break;
    }
  }

  #onData(bytes: Buffer): void {
    if (this.#state === 'closing') return;
    const body = this.#request?.body;
    if (body !== undefined && !body.arrived) {
      const used = body.feed(bytes);
      if (used < 0) this.#refuse('malformed-request');
      else if (used < bytes.length) this.#hold(bytes.subarray(used));
      return;
    }
    this.#hold(bytes);
    if (this.#state !== 'busy') this.#readHead();
  }

  #hold(bytes: Buffer): void {
    this.#held = this.#held === undefined ? bytes : Buffer.concat([this.#held, bytes]);
    if (this.#state === 'busy') this.pause();
  }

  #next(): void {
    this.resume();
    if (this.#held !== undefined) this.#readHead();
  }

  #readHead(): void {
    const held = this.#skipEmptyLines();
    if (held === undefined) return;
    const end = held.indexOf(headEnd, this.#searched, 'latin1');
    if ((end < 0 ? held.length : end) > this.#owner.limits.headerBytesMax) return this.#refuse('headers-too-large');
    if (end < 0) {
      if (this.#state === 'idle') this.#become('head');
      this.#searched = Math.max(0, held.length - headEnd.length + 1);
      return;
    }
    const head = parseRequestHead(held.toString('latin1', 0, end));
    if (typeof head === 'string') return this.#refuse(head);
    this.#take(held.subarray(end + headEnd.length));
    this.#serve(head);
  }

  /** Some clients end a body with a line break too many (RFC 9112, section 2.2). */
  #skipEmptyLines(): Buffer | undefined {
    const held = this.#held;
    if (held === undefined || held[0] !== 0x0d) return held;
    let start = 0;
    while (held[start] === 0x0d && held[start + 1] === 0x0a) start += 2;
    if (start > 0) this.#take(held.subarray(start));
    return this.#held;
  }

  #take(rest: Buffer): void {
    this.#held = rest.length === 0 ? undefined : rest;
    this.#searched = 0;
  }

  #serve(head: RequestHead): void {
    this.#become('busy');
    this.#headSent = false;
    this.#keepAlive = head.keepAlive;
    const body = new RequestBody(head.framing, head.lengthDeclared, this);
    const request = { head, body, connection: this };
    this.#request = request;
    this.#owner.began();
    if (head.expectsContinue) this.socket.write(continueLine, 'latin1');
    const held = this.#held;
    if (held !== undefined && !body.arrived) {
      const used = body.feed(held);
      if (used < 0) return this.#refuse('malformed-request');
      this.#take(held.subarray(used));
    }
    void this.#owner.handle(request);
  }

  #endRequest(): void {
    if (this.#request !== undefined) this.#owner.ended();
    this.#request = undefined;
  }

  /** Answers what cannot be served as a request, and ends the connection. */
  #refuse(reason: UnreadableReason): void {
    const body = this.#request?.body;
    const mayAnswer = !this.#headSent || this.#state !== 'busy';
    this.#owner.unreadable(this.socket, reason);
    if (mayAnswer) this.socket.write(unreadableAnswer(reason));
    this.#endRequest();
    this.#close();
    if (!mayAnswer) this.socket.destroy();
    body?.fail(new BodyAborted());
  }

  #close(): void {
    if (this.#state === 'closing') return;
    this.#become('closing');
    this.#held = undefined;
    this.#writingSinceMs = performance.now();
    this.socket.end(() => {
      this.#writingSinceMs = undefined;
      this.#sinceMs = performance.now();
    });
    // Read on, or a reset could overtake the answer.
    this.resume();
  }

  #become(state: State): void {
    this.#state = state;
    this.#sinceMs = performance.now();
  }

  /** The caller sends no more; it may still wait for the answer of a request that arrived whole. */
  #onEnd(): void {
    this.#peerEnded = true;
    if (this.#state === 'closing' || (this.#state === 'busy' && this.#request?.body.arrived === true)) return;
    this.#request?.body.fail(new BodyAborted());
    this.socket.end();
    this.socket.destroySoon();
  }

  #onClose(): void {
    this.#request?.body.fail(new BodyAborted());
    this.#endRequest();
    this.#state = 'closing';
    this.#owner.closed(this);
  }
}
