import { asks } from '../question.ts';

export interface MessageRow {
  messageId: string;
  messageType: string;
  sender: string | null;
  recipient: string | null;
  addressedTo: string | null;
  madeAs: string | null;
  originId: string | null;
  workflowId: string;
  state: string;
  statusCode: string;
  statusEvent: string;
  statusDescription: string;
  compressed: number;
  encrypted: number;
  sealed: string;
  linkedMessageId: string | null;
  createdAtMs: number;
  acceptedAtMs: number | null;
  stateAtMs: number;
  hideAtMs: number;
  payloadId: string | null;
  totalChunks: number | null;
  sizeBytes: number | null;
  contentEncoding: string | null;
  deletedAtMs: number | null;
  expiresAtMs: number | null;
  acknowledgedAtMs: number | null;
  firstListedAtMs: number | null;
  firstDownloadAtMs: number | null;
  lastDownloadAtMs: number | null;
  downloads: number;
}

const columns = `m.message_id as "messageId", m.message_type as "messageType", m.sender, m.recipient,
     m.addressed_to as "addressedTo", m.made_as as "madeAs", m.origin_id as "originId",
     m.workflow_id as "workflowId", m.state, m.status_code as "statusCode", m.status_event as "statusEvent",
     m.status_description as "statusDescription", m.compressed, m.encrypted, m.sealed,
     m.linked_message_id as "linkedMessageId", m.created_at_ms as "createdAtMs", m.accepted_at_ms as "acceptedAtMs",
     m.state_at_ms as "stateAtMs", m.hide_at_ms as "hideAtMs", m.payload_id as "payloadId",
     p.total_chunks as "totalChunks", p.size_bytes as "sizeBytes", p.content_encoding as "contentEncoding",
     p.deleted_at_ms as "deletedAtMs", m.expires_at_ms as "expiresAtMs", m.acknowledged_at_ms as "acknowledgedAtMs",
     m.first_listed_at_ms as "firstListedAtMs", m.first_download_at_ms as "firstDownloadAtMs",
     m.last_download_at_ms as "lastDownloadAtMs", m.downloads`;
const tables = 'from message m left join payload p on p.payload_id = m.payload_id';
const record = `select ${columns} ${tables}`;

export const findMessage = asks<MessageRow>('find-message', `${record} where m.message_id = $1`);

/** The message with the body of a payload of one chunk; a payload of several has its bodies elsewhere. */
export const findMessageWithBody = asks<
  MessageRow & {
    keyId: string | null;
    wrapped: string | null;
    sha256: string | null;
    blockDigests: string | null;
    ref: string | null;
    storedAtMs: number | null;
    inline: Uint8Array | null;
  }
>(
  'find-message-with-body',
  `select ${columns}, p.key_id as "keyId", p.wrapped_key as wrapped, p.sha256, p.block_digests as "blockDigests", p.body_ref as ref, p.stored_at_ms as "storedAtMs",
     p.inline_body as inline
   ${tables} where m.message_id = $1`,
);

const byLocalKey = `${record} where m.sender = $1 and m.local_key = $2 and m.hide_at_ms > $3`;

/** In no order: asked for the order of ids, the engine walks the sender's whole outbox instead of the key's index. */
export const findByLocalKey = asks<MessageRow>('find-by-local-key', `${byLocalKey} and m.filed = 1 limit 2`);
export const findNewByLocalKey = asks<MessageRow>('find-new-by-local-key', `${byLocalKey} and m.filed = 0 limit 2`);

export interface ChunkRow {
  chunkNumber: number;
  sizeBytes: number;
  sha256: string;
  blockDigests: string;
  inline: Uint8Array | null;
  ref: string | null;
  storedAtMs: number;
}

export const findChunk = asks<ChunkRow>(
  'find-chunk',
  `select chunk_number as "chunkNumber", size_bytes as "sizeBytes", sha256, block_digests as "blockDigests",
     inline_body as inline, body_ref as ref, stored_at_ms as "storedAtMs"
   from chunk where payload_id = $1 and chunk_number = $2`,
);

export const readEvents = asks<{ events: string }>('read-events', 'select events from message where message_id = $1');

/** Those that came when the message's row held enough of them. */
export const readLaterEvents = asks<{ atMs: number; actor: string; kind: string; detail: string }>(
  'read-later-events',
  `select at_ms as "atMs", actor, kind, detail from event where message_id = $1 order by event_no limit 1000`,
);

export const readPosition = asks<{ recipient: string | null; position: number | null }>(
  'read-position',
  'select recipient, position from message where message_id = $1',
);

export interface RichRow {
  messageId: string;
  messageType: string;
  sender: string | null;
  recipient: string | null;
  workflowId: string;
  state: string;
  statusCode: string;
  sealed: string;
  createdAtMs: number;
  expiresAtMs: number | null;
  totalChunks: number | null;
}

/** To whoever looks on, a message is in the mailbox it was addressed to. */
const rich = `select m.message_id as "messageId", m.message_type as "messageType", m.sender,
     coalesce(m.addressed_to, m.recipient) as recipient,
     m.workflow_id as "workflowId", m.state, m.status_code as "statusCode", m.sealed,
     m.created_at_ms as "createdAtMs", m.expires_at_ms as "expiresAtMs", p.total_chunks as "totalChunks" ${tables}`;
const inRange = 'm.message_id < $2 and m.created_at_ms > $3 and m.hide_at_ms > $4';
const filed = `${inRange} and m.filed = 1 order by m.message_id desc limit $5 + 0`;
/** Of the messages that are not filed yet; all, in no order: they are few. */
const unfiled = `${inRange} and m.filed = 0
   and m.message_no > (select filing.message_no from filing where filing.one = 1)`;
/** What was delivered, whatever became of it. */
const delivered = 'm.recipient = $1 and m.position > 0';
/** A copy is nothing its sender knows of. */
const sent = "m.sender = $1 and (m.made_as is null or m.made_as <> 'copy')";

/** Ids sort by time, so the newest come first without a sort; $2 bounds the walk from above. */
export const richInbox = asks<RichRow>('rich-inbox', `${rich} where ${delivered} and ${filed}`);
export const richNewInbox = asks<RichRow>('rich-new-inbox', `${rich} where ${delivered} and ${unfiled}`);
export const richOutbox = asks<RichRow>('rich-outbox', `${rich} where ${sent} and ${filed}`);
export const richNewOutbox = asks<RichRow>('rich-new-outbox', `${rich} where ${sent} and ${unfiled}`);
