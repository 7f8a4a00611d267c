import type { MailboxId, MessageId, MessageType, WorkflowFilter } from '@openmesh/protocol';
import type { BodyRef } from '../bodies.ts';
import type {
  ChunkRecord,
  CollectionFacts,
  InboxPage,
  MessageRecord,
  RichEntry,
  StoredState,
  TimelineEvent,
} from './message-records.ts';
import type { NonceClaim, NonceUsed } from './nonces.ts';
import type { RoutingFacts } from './routing-records.ts';

/** A payload's own key, encrypted under a key that is not in the ledger. */
export interface WrappedKey {
  /** The name of the key it is encrypted under. */
  readonly keyId: string;
  /** Text of whoever wrapped it, 512 characters at most. */
  readonly wrapped: string;
}

/** One chunk's bytes, digested. Exactly one of `inline` and `ref` is set; a `ref` is already durable. */
export interface NewChunk {
  readonly chunkNumber: number;
  /** Of the plain bytes; encrypted ones are as many. */
  readonly sizeBytes: number;
  /** '' of encrypted bytes: a digest would confirm what somebody guesses of them. */
  readonly sha256: string;
  /** Digests of blocks; of encrypted bytes the text that opens them under the payload's key (`keys/payload-key.ts`). */
  readonly blockDigests: string;
  /** The whole of its own buffer, never a slice of a larger one: the buffer is copied to the ledger's thread. */
  readonly inline: Uint8Array<ArrayBuffer> | null;
  readonly ref: BodyRef | null;
}

/** What messages point to: copies, redirects and resends share one. */
export interface NewPayload {
  readonly payloadId: string;
  readonly totalChunks: number;
  readonly contentEncoding: 'gzip' | '';
  /** Service clock, milliseconds. */
  readonly keepUntilMs: number;
  /** null: none of its chunks is encrypted; else all of them are. */
  readonly key: WrappedKey | null;
  readonly chunk: NewChunk;
}

export interface NewEvent {
  readonly atMs: number;
  readonly actor: string;
  readonly kind: string;
  readonly detail: string;
}

/** How a message stands, in the words of the wire (status, code, event, description). */
export interface StatusFacts {
  readonly code: string;
  readonly event: string;
  readonly description: string;
}

export interface NewMessage {
  readonly messageId: MessageId;
  readonly messageType: MessageType;
  /** null: made by the exchange itself. */
  readonly sender: MailboxId | null;
  readonly recipient: MailboxId | null;
  readonly workflowId: string;
  readonly payloadId: string | null;
  readonly state: StoredState;
  readonly status: StatusFacts;
  readonly compressed: boolean;
  readonly encrypted: boolean;
  /** Subject, file name, local id and the other free header texts, sealed; base64. */
  readonly sealed: string;
  /** Keyed digest of the local id, for look-up without storing it; null when none was given. */
  readonly localKey: string | null;
  readonly linkedMessageId: MessageId | null;
  readonly createdAtMs: number;
  /** Set when state is 'accepted': an inbox entry is made in the same commit. */
  readonly expiresAtMs: number | null;
  readonly hideAtMs: number;
  readonly removeAtMs: number;
  readonly events: readonly NewEvent[];
  /** Left out for a message that went where it was addressed and that no rule touched. */
  readonly routing?: RoutingFacts;
}

export interface IdempotencyClaim {
  readonly mailbox: MailboxId;
  readonly key: string;
  /** Keyed digest of the headers that matter and the body's digest; of a refusal, as `refusedFingerprint` makes it. */
  readonly fingerprint: string;
  /** How the same would have been written under earlier keys. */
  readonly others?: readonly string[];
  readonly expiresAtMs: number;
}

const refused = 'refused:';

/** Of a message that was refused, of whose body nothing is known. Its key is free for anything but the same again. */
export function refusedFingerprint(headersDigest: string): string {
  return refused + headersDigest;
}

/** Whether what was written is of the same send. */
export function isSameClaim(written: string, claim: IdempotencyClaim): boolean {
  return written === claim.fingerprint || claim.others?.includes(written) === true;
}

export function isRefusedFingerprint(fingerprint: string): boolean {
  return fingerprint.startsWith(refused);
}

export interface AcceptCommand {
  readonly nonce: NonceClaim | null;
  readonly idempotency: IdempotencyClaim | null;
  /** Version of the snapshot the decision was made on; null when no routing was involved. */
  readonly registryVersion: number | null;
  readonly payload: NewPayload | null;
  /** The first is the message the caller is answered with; copies and reports follow. */
  readonly messages: readonly NewMessage[];
}

export type AcceptOutcome =
  | { readonly kind: 'accepted' }
  /** The registry moved since the decision: reload, decide again. Nothing was stored. */
  | { readonly kind: 'stale'; readonly version: number }
  /** The idempotency key was used with the same content: this is the first answer's message. */
  | { readonly kind: 'repeated'; readonly messageId: MessageId }
  | { readonly kind: 'key-conflict' }
  | NonceUsed;

/** What to do with the message if this chunk turns out to be the last one missing. */
export interface Completion {
  readonly registryVersion: number;
  /** Left out where the workflow has no limit: else its limit, and whether the message was decided to be within it. */
  readonly size?: { readonly bytesMax: number; readonly isWithin: boolean };
  readonly state: 'accepted' | 'routing' | 'error';
  readonly status: StatusFacts;
  readonly expiresAtMs: number | null;
  readonly keepUntilMs: number;
  readonly hideAtMs: number;
  readonly removeAtMs: number;
  readonly events: readonly NewEvent[];
  /** A report to the sender when the decision is a failure. */
  readonly report: NewMessage | null;
  readonly reportCopies?: readonly NewMessage[];
  /** Left out when no rule touches the message: else where it goes instead, its copies, and what rules did. */
  readonly routed?: {
    readonly recipient: MailboxId;
    readonly routing: RoutingFacts;
    readonly copies: readonly NewMessage[];
  };
}

export interface AddChunkCommand {
  readonly nonce: NonceClaim | null;
  readonly messageId: MessageId;
  readonly sender: MailboxId;
  readonly atMs: number;
  readonly chunk: NewChunk;
  readonly messageBytesMax: number;
  readonly completion: Completion;
}

export type AddChunkOutcome =
  | { readonly kind: 'stored'; readonly complete: boolean; readonly replaced: BodyRef | null }
  | { readonly kind: 'stale'; readonly version: number }
  /** With what came meanwhile the message is on the other side of its workflow's limit: decide again. Nothing was stored. */
  | { readonly kind: 'resized'; readonly sizeBytes: number }
  | { readonly kind: 'not-uploading' }
  | { readonly kind: 'too-large' }
  | NonceUsed;

export interface AcknowledgeCommand {
  readonly nonce: NonceClaim | null;
  readonly mailbox: MailboxId;
  readonly messageId: MessageId;
  readonly atMs: number;
  /** Facts of listing and downloading not yet written, folded into this commit. */
  readonly collection: CollectionFacts | null;
}

export type AcknowledgeOutcome =
  | { readonly kind: 'acknowledged' | 'unchanged' | 'not-found' | 'forbidden' }
  | NonceUsed;

/** Ends a message without collection, or changes where it stands by an operator's hand. */
export interface ChangeStateCommand {
  readonly messageId: MessageId;
  /** The command does nothing unless the message is in one of these. */
  readonly from: readonly StoredState[];
  readonly to: StoredState;
  readonly status: StatusFacts;
  readonly atMs: number;
  readonly event: NewEvent;
  /** Set when `to` is 'accepted': the entry goes to the end of the inbox. */
  readonly expiresAtMs: number | null;
  /** An expiry must not overtake an operator who pushed the date: the entry's date must be at most this. */
  readonly onlyIfDueAtMs: number | null;
  readonly linkedMessageId: MessageId | null;
  readonly report: NewMessage | null;
  readonly reportCopies?: readonly NewMessage[];
}

export interface ChangeStateOutcome {
  /** 'gone': it was to wait again, and its bytes are deleted. */
  readonly kind: 'changed' | 'unchanged' | 'not-found' | 'gone';
}

export interface PageQuery {
  readonly mailbox: MailboxId;
  /** 0 for the first page. */
  readonly afterPosition: number;
  readonly limit: number;
  readonly filter: WorkflowFilter | null;
  /** A filtered page looks at no more entries than this. */
  readonly examineMax: number;
}

export interface ChunkQuery {
  readonly messageId: MessageId;
  readonly chunkNumber: number;
  /** The states in which the message's bytes may be handed out. */
  readonly states: readonly StoredState[];
  /** Service clock, milliseconds: a message past its hiding date is handed out no more. */
  readonly nowMs: number;
}

export interface FoundChunk {
  readonly message: MessageRecord;
  readonly chunk: ChunkRecord | null;
  /** The payload's key; null where it has none, or the payload is deleted. */
  readonly key: WrappedKey | null;
}

export interface MessageLedger {
  accept(command: AcceptCommand): Promise<AcceptOutcome>;
  addChunk(command: AddChunkCommand): Promise<AddChunkOutcome>;
  acknowledge(command: AcknowledgeCommand): Promise<AcknowledgeOutcome>;
  changeState(command: ChangeStateCommand): Promise<ChangeStateOutcome>;
  /** First listed, and first, last and count of downloads: written in batches, after the fact. */
  recordCollections(facts: readonly CollectionFacts[]): Promise<void>;
  addEvent(messageId: MessageId, event: NewEvent): Promise<void>;
  /** Sandbox only: forgets every message of these mailboxes, or of all; returns the bodies nobody names any more. */
  reset(mailboxes: readonly MailboxId[] | 'all'): Promise<readonly BodyRef[]>;

  inboxPage(query: PageQuery): Promise<InboxPage>;
  /** The same for whoever proved a token: the nonce is committed before the answer. */
  collectPage(query: PageQuery, nonce: NonceClaim): Promise<({ readonly kind: 'page' } & InboxPage) | NonceUsed>;
  waitingCount(mailbox: MailboxId): Promise<number>;
  /** Where the message stands, or stood, in the mailbox's inbox; null when it was never there. */
  positionOf(mailbox: MailboxId, messageId: MessageId): Promise<number | null>;
  find(messageId: MessageId): Promise<MessageRecord | null>;
  /** A message and one of its chunks (null when that chunk is not stored), by one question. */
  findWithChunk(messageId: MessageId, chunkNumber: number): Promise<FoundChunk | null>;
  /**
   * The same for a download: the nonce is committed when the bytes are in the answer and may be handed out, else it is
   * the caller's to claim, so that a refused request never used it up.
   */
  collectChunk(
    query: ChunkQuery,
    nonce: NonceClaim,
  ): Promise<
    ({ readonly kind: 'found'; readonly claimed: boolean } & FoundChunk) | { readonly kind: 'unknown' } | NonceUsed
  >;
  /** At most two: one, or proof that it is not unique. */
  findByLocalKey(sender: MailboxId, localKey: string, nowMs: number): Promise<readonly MessageRecord[]>;
  timeline(messageId: MessageId): Promise<readonly TimelineEvent[]>;
  /** Newest first, created after `sinceMs`, before `beforeMessageId` when given. */
  rich(query: {
    box: 'inbox' | 'outbox';
    mailbox: MailboxId;
    sinceMs: number;
    nowMs: number;
    beforeMessageId: MessageId | null;
    limit: number;
  }): Promise<readonly RichEntry[]>;
}
