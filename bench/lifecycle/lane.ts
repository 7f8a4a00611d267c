import type { TLSSocket } from 'node:tls';
import { stampBytes } from '../payload.ts';
import { ResponseParser } from '../response-parser.ts';
import type { TokenMaker } from '../token.ts';
import { type Answer, type Answers, type MailboxPair, type Operation, operations } from './operations.ts';

export interface LaneOptions {
  readonly laneNumber: number;
  readonly pairs: readonly MailboxPair[];
  readonly tokens: TokenMaker;
  readonly lifecyclesPrepared: number;
  readonly bodyBytesMin: number;
  readonly bodyBytesMax: number;
  readonly pattern: Buffer;
  readonly checkStamp: boolean;
  /** Whether the lane should begin another lifecycle; called after each, with its six times in ms. */
  readonly finished: (lane: Lane, times: Float64Array) => boolean;
  readonly failed: (error: Error) => void;
}

const expectedStatus: Readonly<Record<Operation, number>> = { send: 202, list: 200, download: 200, acknowledge: 200 };
const headBytesMax = 1024;

/** One connection that lives the life of one small message after another, and checks every answer. */
export class Lane {
  readonly #options: LaneOptions;
  readonly #parser: ResponseParser;
  readonly #sendRequest: Buffer;
  readonly #prepared: readonly (readonly string[])[];
  readonly #times = new Float64Array(1 + operations.length);
  #socket: TLSSocket | undefined;
  #lifecycle = 0;
  #step = 0;
  #bodyStart = 0;
  #bodyBytes = 0;
  #messageId = '';
  #answerStatus = 0;
  #answerHead = '';
  #answerText = '';
  #answerBytes = 0;
  tokensMadeLate = 0;
  /** The answers of the first lifecycle, for the echo server to repeat. */
  readonly answers: Partial<Record<Operation, Answer>> = {};

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#sendRequest = Buffer.alloc(headBytesMax + options.bodyBytesMax);
    this.#prepared = Array.from({ length: options.lifecyclesPrepared }, (_, index) => this.#makeTokens(index));
    this.#parser = new ResponseParser({
      head: (status, head, bodyBytes) => this.#onHead(status, head, bodyBytes),
      body: (bytes, start, end) => this.#onBody(bytes, start, end),
      end: () => this.#onEnd(),
    });
  }

  get recorded(): Answers | undefined {
    const { send, list, download, acknowledge } = this.answers;
    if (!send || !list || !download || !acknowledge) return undefined;
    return { messageId: messageIdOf(send.body), byOperation: { send, list, download, acknowledge } };
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

  #pair(lifecycle: number): MailboxPair {
    const pair = this.#options.pairs[lifecycle % this.#options.pairs.length];
    if (pair === undefined) throw new Error('a lane needs at least one pair of mailboxes');
    return pair;
  }

  #makeTokens(lifecycle: number): readonly string[] {
    const { sender, recipient } = this.#pair(lifecycle);
    return operations.map((operation) => this.#options.tokens.make(operation === 'send' ? sender : recipient));
  }

  #token(): string {
    const ready = this.#prepared[this.#lifecycle]?.[this.#step];
    if (ready !== undefined) return ready;
    this.tokensMadeLate += 1;
    const { sender, recipient } = this.#pair(this.#lifecycle);
    return this.#options.tokens.make(this.#step === 0 ? sender : recipient);
  }

  #begin(): void {
    this.#step = 0;
    this.#times[0] = performance.now();
    this.#writeSend();
  }

  #writeSend(): void {
    const { bodyBytesMin, bodyBytesMax, pattern, laneNumber } = this.#options;
    const { sender, recipient } = this.#pair(this.#lifecycle);
    // Sizes walk the whole range in large steps that differ from lane to lane, the same in every leg.
    const spread = bodyBytesMax - bodyBytesMin + 1;
    this.#bodyBytes = bodyBytesMin + ((this.#lifecycle * 7919 + laneNumber * 104_729) % spread);
    const head =
      `POST /messageexchange/${sender.mailbox}/outbox HTTP/1.1\r\nhost: localhost\r\n` +
      'accept: application/vnd.mesh.v2+json\r\ncontent-type: application/octet-stream\r\n' +
      `mex-from: ${sender.mailbox}\r\nmex-to: ${recipient.mailbox}\r\nmex-workflowid: BENCH_WORKFLOW\r\n` +
      'mex-filename: bench.dat\r\nmex-localid: bench\r\nmex-subject: bench\r\nmex-chunk-range: 1:1\r\n' +
      `authorization: ${this.#token()}\r\ncontent-length: ${this.#bodyBytes}\r\n\r\n`;
    const request = this.#sendRequest;
    this.#bodyStart = request.write(head, 0, 'latin1');
    pattern.copy(request, this.#bodyStart, 0, this.#bodyBytes);
    request.writeUInt32BE(process.pid, this.#bodyStart);
    request.writeUInt32BE(laneNumber, this.#bodyStart + 4);
    request.writeDoubleBE(this.#lifecycle, this.#bodyStart + 8);
    this.#socket?.write(request.subarray(0, this.#bodyStart + this.#bodyBytes));
  }

  #writeStep(): void {
    const base = `/messageexchange/${this.#pair(this.#lifecycle).recipient.mailbox}/inbox`;
    const tail = ` HTTP/1.1\r\nhost: localhost\r\naccept: application/vnd.mesh.v2+json\r\nauthorization: ${this.#token()}\r\n`;
    const lines = [
      '',
      `GET ${base}${tail}\r\n`,
      `GET ${base}/${this.#messageId}${tail}\r\n`,
      `PUT ${base}/${this.#messageId}/status/acknowledged${tail}content-length: 0\r\n\r\n`,
    ];
    this.#socket?.write(lines[this.#step] ?? '', 'latin1');
  }

  #onHead(status: number, head: string, bodyBytes: number): void {
    this.#answerStatus = status;
    this.#answerText = '';
    this.#answerBytes = 0;
    this.#answerHead = head;
    if (this.#operation() === 'download' && bodyBytes !== this.#bodyBytes) {
      throw new Error(`download answered ${status} with ${bodyBytes} bytes where ${this.#bodyBytes} were sent`);
    }
  }

  #operation(): Operation {
    const operation = operations[this.#step];
    if (operation === undefined) throw new Error('an answer arrived that no request asked for');
    return operation;
  }

  #onBody(bytes: Buffer, start: number, end: number): void {
    if (this.#operation() !== 'download' || this.#answerStatus !== expectedStatus.download) {
      this.#answerText += bytes.toString('latin1', start, end);
      return;
    }
    const skip = this.#options.checkStamp ? 0 : Math.min(Math.max(0, stampBytes - this.#answerBytes), end - start);
    const from = this.#bodyStart + this.#answerBytes + skip;
    const differs = bytes.compare(this.#sendRequest, from, from + end - start - skip, start + skip, end) !== 0;
    if (differs) throw new Error('a download differs from what was sent');
    this.#answerBytes += end - start;
  }

  #onEnd(): void {
    const operation = this.#operation();
    if (this.#answerStatus !== expectedStatus[operation]) {
      throw new Error(`${operation} answered ${this.#answerStatus}: ${this.#answerText.slice(0, 300)}`);
    }
    if (operation === 'send') this.#messageId = messageIdOf(this.#answerText);
    if (operation === 'list' && !this.#answerText.includes(`"${this.#messageId}"`)) {
      throw new Error(`message ${this.#messageId} is not listed: ${this.#answerText.slice(0, 300)}`);
    }
    if (this.#lifecycle === 0) {
      this.answers[operation] = { status: this.#answerStatus, head: this.#answerHead, body: this.#answerText };
    }
    this.#step += 1;
    this.#times[this.#step] = performance.now();
    if (this.#step < operations.length) {
      this.#writeStep();
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
