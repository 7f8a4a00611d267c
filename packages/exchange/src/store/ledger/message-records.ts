import type { MailboxId, MessageId, MessageType } from '@openmesh/protocol';
import type { BodyRef } from '../bodies.ts';
import type { MadeAs } from './routing-records.ts';

/**
 * Where a message stands. The wire knows five of these; 'routing' (accepted, address not yet resolved) is shown as
 * 'accepted' and has no inbox entry. Set by the ledger's commands only, along the moves of `message/lifecycle`.
 */
export type StoredState = 'uploading' | 'routing' | 'accepted' | 'acknowledged' | 'undeliverable' | 'error';

/** Of a collection: none of these changes the state, and downloading does not stop the expiry clock. */
export interface CollectionFacts {
  readonly mailbox: MailboxId;
  readonly messageId: MessageId;
  readonly firstListedAtMs: number | null;
  readonly firstDownloadAtMs: number | null;
  readonly lastDownloadAtMs: number | null;
  /** Downloads to add to what is recorded. */
  readonly downloads: number;
}

export interface MessageRecord {
  readonly messageId: MessageId;
  readonly messageType: MessageType;
  readonly sender: MailboxId | null;
  /** Whose inbox it is in, or was. */
  readonly recipient: MailboxId | null;
  /** The mailbox it was addressed to, when a rule took it or a copy of it elsewhere: all that its sender is told. */
  readonly addressedTo: MailboxId | null;
  readonly madeAs: MadeAs | null;
  /** What a copy or resend goes back to; null for a message that was sent. */
  readonly originId: MessageId | null;
  readonly workflowId: string;
  readonly state: StoredState;
  readonly statusCode: string;
  readonly statusEvent: string;
  readonly statusDescription: string;
  readonly compressed: boolean;
  readonly encrypted: boolean;
  /** '' once the record was hidden. */
  readonly sealed: string;
  readonly linkedMessageId: MessageId | null;
  readonly createdAtMs: number;
  readonly acceptedAtMs: number | null;
  readonly expiresAtMs: number | null;
  readonly stateAtMs: number;
  readonly acknowledgedAtMs: number | null;
  readonly hideAtMs: number;
  readonly payloadId: string | null;
  readonly totalChunks: number;
  readonly sizeBytes: number;
  readonly contentEncoding: 'gzip' | '';
  /** The payload's bytes are gone: its date has passed. */
  readonly payloadDeleted: boolean;
  readonly firstListedAtMs: number | null;
  readonly firstDownloadAtMs: number | null;
  readonly lastDownloadAtMs: number | null;
  readonly downloads: number;
}

/** As `NewChunk` brought it: encrypted where its payload has a key. */
export interface ChunkRecord {
  readonly chunkNumber: number;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly blockDigests: string;
  readonly inline: Uint8Array | null;
  readonly ref: BodyRef | null;
  readonly storedAtMs: number;
}

export interface InboxEntry {
  readonly messageId: MessageId;
  readonly position: number;
}

export interface InboxPage {
  readonly entries: readonly InboxEntry[];
  /** Position to go on after; null when nothing is left behind the page. */
  readonly nextAfter: number | null;
  /** Waiting in the whole inbox, whatever the filter. */
  readonly waiting: number;
}

export interface TimelineEvent {
  readonly eventNo: number;
  readonly atMs: number;
  readonly actor: string;
  readonly kind: string;
  readonly detail: string;
}

export interface RichEntry {
  readonly messageId: MessageId;
  readonly messageType: MessageType;
  readonly sender: MailboxId | null;
  readonly recipient: MailboxId | null;
  readonly workflowId: string;
  readonly state: StoredState;
  readonly statusCode: string;
  readonly sealed: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly totalChunks: number;
}
