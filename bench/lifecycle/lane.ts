import type { TLSSocket } from 'node:tls';
import { stampBytes } from '../payload.ts';
import { ResponseParser } from '../response-parser.ts';
import type { LaneRequests } from './lane-requests.ts';
import { type Answer, type Answers, type Operation, operations } from './operations.ts';

export interface LaneOptions {
  readonly requests: LaneRequests;
  readonly checkStamp: boolean;
  /** Whether the lane should begin another lifecycle; called after each, with its five times in ms. */
  readonly finished: (lane: Lane, times: Float64Array) => boolean;
  readonly failed: (error: Error) => void;
}

const expectedStatus: Readonly<Record<Operation, number>> = { send: 202, list: 200, download: 200, acknowledge: 200 };

/** One connection that lives the life of one small message after another, and checks every answer. */
export class Lane {
  readonly #options: LaneOptions;
  readonly #parser: ResponseParser;
  readonly #times = new Float64Array(1 + operations.length);
  readonly #recorded: Partial<Record<Operation, Answer>> = {};
  #socket: TLSSocket | undefined;
  #lifecycle = 0;
  #step = 0;
  #messageId = '';
  #status = 0;
  #head = '';
  #text = '';
  #bytes = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#parser = new ResponseParser({
      head: (status, head, bodyBytes) => this.#onHead(status, head, bodyBytes),
      body: (bytes, start, end) => this.#onBody(bytes, start, end),
      end: () => this.#onEnd(),
    });
  }

  /** The answers of the first lifecycle, for the echo server to repeat; undefined before it is over. */
  get answers(): Answers | undefined {
    const { send, list, download, acknowledge } = this.#recorded;
    if (!send || !list || !download || !acknowledge) return undefined;
    return { messageId: messageIdOf(send.body), byOperation: { send, list, download, acknowledge } };
  }

  get tokensMadeLate(): number {
    return this.#options.requests.tokensMadeLate;
  }

  start(socket: TLSSocket): void {
    this.#socket = socket;
    this.#begin();
  }

  /** Bytes that arrived on the lane's connection. */
  push(bytes: Buffer, length: number): void {
    try {
      this.#parser.push(bytes, length);
    } catch (error) {
      this.#options.failed(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #begin(): void {
    this.#step = 0;
    this.#times[0] = performance.now();
    this.#socket?.write(this.#options.requests.send(this.#lifecycle));
  }

  #operation(): Operation {
    const operation = operations[this.#step];
    if (operation === undefined) throw new Error('an answer arrived that no request asked for');
    return operation;
  }

  #onHead(status: number, head: string, bodyBytes: number): void {
    this.#status = status;
    this.#head = head;
    this.#text = '';
    this.#bytes = 0;
    const sent = this.#options.requests.body.length;
    if (this.#operation() === 'download' && status === expectedStatus.download && bodyBytes !== sent) {
      throw new Error(`a download has ${bodyBytes} bytes where ${sent} were sent`);
    }
  }

  #onBody(bytes: Buffer, start: number, end: number): void {
    if (this.#operation() !== 'download' || this.#status !== expectedStatus.download) {
      this.#text += bytes.toString('latin1', start, end);
      return;
    }
    const skip = this.#options.checkStamp ? 0 : Math.min(Math.max(0, stampBytes - this.#bytes), end - start);
    const from = this.#bytes + skip;
    const sent = this.#options.requests.body;
    const differs = bytes.compare(sent, from, from + end - start - skip, start + skip, end) !== 0;
    if (differs) throw new Error('a download differs from what was sent');
    this.#bytes += end - start;
  }

  #onEnd(): void {
    const operation = this.#operation();
    if (this.#status !== expectedStatus[operation]) {
      throw new Error(`${operation} answered ${this.#status}: ${this.#text.slice(0, 300)}`);
    }
    if (operation === 'send') this.#messageId = messageIdOf(this.#text);
    if (operation === 'list' && !this.#text.includes(`"${this.#messageId}"`)) {
      throw new Error(`message ${this.#messageId} is not listed: ${this.#text.slice(0, 300)}`);
    }
    if (this.#lifecycle === 0) {
      this.#recorded[operation] = { status: this.#status, head: this.#head, body: this.#text };
    }
    this.#step += 1;
    this.#times[this.#step] = performance.now();
    if (this.#step < operations.length) {
      this.#socket?.write(this.#options.requests.follow(this.#lifecycle, this.#step, this.#messageId));
      return;
    }
    this.#lifecycle += 1;
    if (this.#options.finished(this, this.#times)) this.#begin();
  }
}

function messageIdOf(body: string): string {
  const match = /"message_id":"([\w-]{1,64})"/.exec(body);
  if (match?.[1] === undefined) throw new Error(`send answered without a message id: ${body.slice(0, 300)}`);
  return match[1];
}
