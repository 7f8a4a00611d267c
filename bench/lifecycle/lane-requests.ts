import { stampBytes } from '../payload.ts';
import type { TokenMaker } from '../token.ts';
import { type MailboxPair, operations } from './operations.ts';

export interface LaneRequestsOptions {
  readonly laneNumber: number;
  /** At least one; lifecycles take them in turn. */
  readonly pairs: readonly MailboxPair[];
  readonly tokens: TokenMaker;
  readonly lifecyclesPrepared: number;
  readonly bodyBytesMin: number;
  readonly bodyBytesMax: number;
  readonly pattern: Buffer;
}

/** The fixed bytes of one pair's requests: `before` a message id where there is one, `upTo` the token, and `after` it. */
interface Template {
  readonly before: Buffer;
  readonly upTo: Buffer;
  readonly after: Buffer;
}

const requestBytesMax = 1024;

/**
 * The requests of one connection. Everything that can be made before the clock starts is: the fixed bytes and, in one
 * buffer without an object each, the tokens. A request is then a few copies into a buffer that is used again, which
 * the connection has finished with when the answer is there.
 */
export class LaneRequests {
  readonly #options: LaneRequestsOptions;
  readonly #templates: readonly (readonly Template[])[];
  readonly #tokenBytes: number;
  readonly #prepared: Buffer;
  readonly #request = Buffer.alloc(requestBytesMax);
  /** Apart from the other requests, because the body is kept until the download has been compared with it. */
  readonly #sendRequest: Buffer;
  /** The body of the message being sent, stamp and all, until the next `send`. */
  body: Buffer = Buffer.alloc(0);
  tokensMadeLate = 0;

  constructor(options: LaneRequestsOptions) {
    this.#options = options;
    this.#templates = options.pairs.map(templatesFor);
    this.#tokenBytes = this.#makeToken(0, 0).length;
    this.#prepared = Buffer.alloc(options.lifecyclesPrepared * operations.length * this.#tokenBytes);
    for (let at = 0; at < options.lifecyclesPrepared * operations.length; at += 1) {
      const token = this.#makeToken(Math.floor(at / operations.length), at % operations.length);
      if (token.length !== this.#tokenBytes) throw new Error('mailbox names of one connection must be equally long');
      this.#prepared.write(token, at * this.#tokenBytes, 'latin1');
    }
    this.#sendRequest = Buffer.alloc(requestBytesMax + options.bodyBytesMax);
  }

  /** The POST of a lifecycle's message, head and body in one. */
  send(lifecycle: number): Buffer {
    const { bodyBytesMin, bodyBytesMax, pattern, laneNumber } = this.#options;
    // Sizes walk the whole range in large steps that differ from lane to lane, the same in every leg.
    const spread = bodyBytesMax - bodyBytesMin + 1;
    const bytes = bodyBytesMin + ((lifecycle * 7919 + laneNumber * 104_729) % spread);
    const request = this.#sendRequest;
    let at = this.#write(request, lifecycle, 0, '');
    at += request.write(`${bytes}\r\n\r\n`, at, 'latin1');
    pattern.copy(request, at, 0, bytes);
    request.writeUInt32BE(process.pid, at);
    request.writeUInt32BE(laneNumber, at + 4);
    request.writeDoubleBE(lifecycle, at + stampBytes - 8);
    this.body = request.subarray(at, at + bytes);
    return request.subarray(0, at + bytes);
  }

  /** The GET or PUT of a later step (1 list, 2 download, 3 acknowledge). */
  follow(lifecycle: number, step: number, messageId: string): Buffer {
    return this.#request.subarray(0, this.#write(this.#request, lifecycle, step, messageId));
  }

  #write(request: Buffer, lifecycle: number, step: number, messageId: string): number {
    const template = this.#templates[lifecycle % this.#templates.length]?.[step];
    if (template === undefined) throw new Error(`there is no step ${step}`);
    let at = template.before.copy(request, 0);
    if (step > 1) at += request.write(messageId, at, 'latin1');
    at += template.upTo.copy(request, at);
    if (lifecycle < this.#options.lifecyclesPrepared) {
      const from = (lifecycle * operations.length + step) * this.#tokenBytes;
      at += this.#prepared.copy(request, at, from, from + this.#tokenBytes);
    } else {
      this.tokensMadeLate += 1;
      at += request.write(this.#makeToken(lifecycle, step), at, 'latin1');
    }
    return at + template.after.copy(request, at);
  }

  #makeToken(lifecycle: number, step: number): string {
    const pair = this.#options.pairs[lifecycle % this.#options.pairs.length];
    if (pair === undefined) throw new Error('a lane needs at least one pair of mailboxes');
    return this.#options.tokens.make(step === 0 ? pair.sender : pair.recipient);
  }
}

function templatesFor({ sender, recipient }: MailboxPair): Template[] {
  const shared = 'host: localhost\r\naccept: application/vnd.mesh.v2+json\r\n';
  const inbox = `/messageexchange/${recipient.mailbox}/inbox`;
  const template = (before: string, upTo: string, after: string): Template => ({
    before: Buffer.from(before, 'latin1'),
    upTo: Buffer.from(`${upTo} HTTP/1.1\r\n${shared}authorization: `, 'latin1'),
    after: Buffer.from(after, 'latin1'),
  });
  const message =
    `mex-from: ${sender.mailbox}\r\nmex-to: ${recipient.mailbox}\r\nmex-workflowid: BENCH_WORKFLOW\r\n` +
    'mex-filename: bench.dat\r\nmex-localid: bench\r\nmex-subject: bench\r\nmex-chunk-range: 1:1\r\n' +
    'content-type: application/octet-stream\r\n';
  return [
    template(`POST /messageexchange/${sender.mailbox}/outbox`, '', `\r\n${message}content-length: `),
    template(`GET ${inbox}`, '', '\r\n\r\n'),
    template(`GET ${inbox}/`, '', '\r\n\r\n'),
    template(`PUT ${inbox}/`, '/status/acknowledged', '\r\ncontent-length: 0\r\n\r\n'),
  ];
}
