import type { ApiVersion, HeaderLookup, MailboxId, MessageId, WireAnswer } from '@openmesh/protocol';
import type { Operation } from '../../http/operation.ts';
import type { IncomingBody } from '../../message/incoming-body.ts';
import type { NotDone, Refused } from '../../message/refused.ts';
import type { BodyBlock } from '../../store/bodies.ts';
import type { NonceClaim } from '../../store/ledger/nonces.ts';

/** A request as an operation sees it: its path read, and for operations behind a token, its caller proved. */
export interface MachineRequest {
  readonly version: ApiVersion;
  /** The parameters of the path in order, percent-decoded, the mailbox left out. */
  readonly params: readonly string[];
  readonly query: URLSearchParams;
  readonly header: HeaderLookup;
  readonly body: IncomingBody;
  readonly acceptsGzip: boolean;
}

export interface CallerRequest extends MachineRequest {
  /** The mailbox the token proved. */
  readonly mailbox: MailboxId;
  /** To be committed with the request's effect; null where the nonce check is off. */
  readonly nonce: NonceClaim | null;
}

/** What every answer may say to the porch besides its bytes. */
interface AboutMessage {
  /** The message that was sent, collected or acknowledged: for the log and the traces. */
  readonly messageId?: MessageId | undefined;
}

/** An answer with its bytes at hand. */
export interface PlainReply extends AboutMessage {
  readonly kind: 'plain';
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | Uint8Array;
  /** HEAD: the length is told, the bytes are not sent. */
  readonly withoutBody?: boolean;
}

/** An answer whose bytes are checked block by block on their way out. */
export interface BlockReply extends AboutMessage {
  readonly kind: 'blocks';
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly lengthBytes: number;
  readonly blocks: AsyncIterable<BodyBlock>;
}

/** An answer of unknown length, made by squeezing or unpacking a stored body. */
export interface StreamReply extends AboutMessage {
  readonly kind: 'stream';
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly pieces: AsyncIterable<Uint8Array>;
}

export type Reply = PlainReply | BlockReply | StreamReply;

/** An operation that anybody may ask for: look-ups and health. */
export interface OpenOperation {
  readonly name: Operation;
  readonly access: 'open';
  handle(request: MachineRequest): Promise<Reply | Refused>;
}

/** An operation of a proved caller that commits the nonce itself: with its effect, or with what it read. */
export interface CommittingOperation {
  readonly name: Operation;
  readonly access: 'token';
  readonly commitsNonce: true;
  handle(request: CallerRequest): Promise<Reply | NotDone>;
}

/** An operation of a proved caller that only reads: the porch commits the nonce before the first byte of the answer. */
export interface ReadingOperation {
  readonly name: Operation;
  readonly access: 'token';
  readonly commitsNonce: false;
  handle(request: CallerRequest): Promise<Reply | Refused>;
}

export type MachineOperation = OpenOperation | CommittingOperation | ReadingOperation;

export function reply(answer: WireAnswer, messageId?: MessageId): PlainReply {
  const { status, contentType, body } = answer;
  const headers = contentType === undefined ? [] : [['content-type', contentType] as const];
  return { kind: 'plain', status, headers, body, messageId };
}

export function refuseAs(failure: Refused['failure'], detail: string): Refused {
  return { kind: 'refused', failure, detail };
}
