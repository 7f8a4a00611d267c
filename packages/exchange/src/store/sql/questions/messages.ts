import { asks, tells } from '../question.ts';

export const readRegistryVersion = asks<{ version: number }>(
  'read-registry-version',
  'select version from registry_version where one = 1',
  'steady',
);

export const readIdempotency = asks<{ fingerprint: string; messageId: string }>(
  'read-idempotency',
  'select fingerprint, message_id as "messageId" from idempotency where mailbox_id = $1 and key = $2',
);

/** Fails where the key is claimed: of two transactions that run side by side only one may have it. */
export const claimIdempotency = tells(
  'claim-idempotency',
  'insert into idempotency (mailbox_id, key, fingerprint, message_id, expires_at_ms) values ($1, $2, $3, $4, $5)',
);

/** In place of the refusal with fingerprint $6, if that still stands. */
export const replaceIdempotency = tells(
  'replace-idempotency',
  `update idempotency set fingerprint = $3, message_id = $4, expires_at_ms = $5
   where mailbox_id = $1 and key = $2 and fingerprint = $6`,
);

/** With the body when it is the only chunk. */
export const insertPayload = tells(
  'insert-payload',
  `insert into payload
     (payload_id, total_chunks, stored_chunks, size_bytes, content_encoding, keep_until_ms, key_id, wrapped_key, sha256,
      block_digests, body_ref, stored_at_ms, inline_body)
   values ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict (payload_id) do nothing`,
);

export const replaceBody = tells(
  'replace-body',
  `update payload set sha256 = $2, block_digests = $3, body_ref = $4, stored_at_ms = $5, inline_body = $6
   where payload_id = $1`,
);

export const insertChunk = tells(
  'insert-chunk',
  `insert into chunk
     (payload_id, chunk_number, size_bytes, sha256, block_digests, body_ref, inline_body, stored_at_ms)
   values ($1, $2, $3, $4, $5, $6, $7, $8)`,
);

export const readChunkKey = asks<{ sizeBytes: number; ref: string | null }>(
  'read-chunk-key',
  'select size_bytes as "sizeBytes", body_ref as ref from chunk where payload_id = $1 and chunk_number = $2',
);

export const replaceChunk = tells(
  'replace-chunk',
  `update chunk set size_bytes = $3, sha256 = $4, block_digests = $5, body_ref = $6, inline_body = $7, stored_at_ms = $8
   where payload_id = $1 and chunk_number = $2`,
);

export const growPayload = asks<{ storedChunks: number; totalChunks: number }>(
  'grow-payload',
  `update payload set stored_chunks = stored_chunks + $2, size_bytes = size_bytes + $3 where payload_id = $1
   returning stored_chunks as "storedChunks", total_chunks as "totalChunks"`,
);

/** A copy or resend may only push the date later, while there are bytes to keep; "+ 0", for it is to be found by its id. */
export const keepPayload = tells(
  'keep-payload',
  `update payload set keep_until_ms = $2
   where payload_id = $1 and keep_until_ms + 0 < $2 and deleted_at_ms is null`,
);

export const findKeptPayload = asks<{ kept: number }>(
  'find-kept-payload',
  'select 1 as kept from payload where payload_id = $1 and deleted_at_ms is null',
);

export const insertMessage = tells(
  'insert-message',
  `insert into message
     (message_id, message_type, sender, recipient, workflow_id, payload_id, state, status_code, status_event,
      status_description, compressed, encrypted, sealed, local_key, linked_message_id, created_at_ms, accepted_at_ms,
      state_at_ms, hide_at_ms, remove_at_ms, position, expires_at_ms, events)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $16, $18, $19, $20, $21, $22)
   on conflict (message_id) do nothing`,
);

/** Nothing of an upload whose bytes are deleted: no chunk more would make it whole. */
export const readUpload = asks<{
  state: string;
  sender: string | null;
  recipient: string | null;
  payloadId: string | null;
  workflowId: string;
  sizeBytes: number;
  totalChunks: number;
  storedChunks: number;
  ref: string | null;
}>(
  'read-upload',
  `select m.state, m.sender, m.recipient, m.payload_id as "payloadId", m.workflow_id as "workflowId",
     p.size_bytes as "sizeBytes", p.total_chunks as "totalChunks", p.stored_chunks as "storedChunks", p.body_ref as ref
   from message m join payload p on p.payload_id = m.payload_id where m.message_id = $1 and p.deleted_at_ms is null`,
);

export interface StateRow {
  messageNo: number;
  state: string;
  recipient: string | null;
  position: number | null;
  workflowId: string;
  payloadId: string | null;
  expiresAtMs: number | null;
  eventBytes: number;
}

export const readState = asks<StateRow>(
  'read-state',
  `select message_no as "messageNo", state, recipient, position, workflow_id as "workflowId",
     payload_id as "payloadId", expires_at_ms as "expiresAtMs", octet_length(events) as "eventBytes"
   from message where message_id = $1`,
);

/** The message's place in its inbox, now or when it last waited. */
export const setPosition = tells(
  'set-position',
  'update message set position = $2, expires_at_ms = $3, acknowledged_at_ms = null where message_id = $1',
);

export const finishUpload = tells(
  'finish-upload',
  `update message set state = $2, status_code = $3, status_event = $4, status_description = $5, state_at_ms = $6,
     accepted_at_ms = $7, hide_at_ms = $8, remove_at_ms = $9
   where message_id = $1`,
);

export const changeState = tells(
  'change-state',
  `update message set state = $2, status_code = $3, status_event = $4, status_description = $5, state_at_ms = $6,
     linked_message_id = coalesce($7, linked_message_id)
   where message_id = $1`,
);

/** What waits again is neither hidden nor removed before its wait is over. */
export const keepMessage = tells(
  'keep-message',
  `update message set hide_at_ms = case when hide_at_ms < $2 then $2 else hide_at_ms end,
     remove_at_ms = case when remove_at_ms < $2 then $2 else remove_at_ms end
   where message_id = $1`,
);

/** The recipient's confirmation by the message's number, with facts of collection that were still to be written. */
export const acknowledgeMessage = tells(
  'acknowledge-message',
  `update message set state = 'acknowledged', state_at_ms = $2, acknowledged_at_ms = $2, events = events || $3,
     first_listed_at_ms = coalesce(first_listed_at_ms, $4), first_download_at_ms = coalesce(first_download_at_ms, $5),
     last_download_at_ms = coalesce($6, last_download_at_ms), downloads = downloads + $7
   where message_no = $1`,
);

export const setAcknowledgedAt = tells(
  'set-acknowledged-at',
  'update message set acknowledged_at_ms = $2 where message_id = $1',
);

export const recordCollection = tells(
  'record-collection',
  `update message set first_listed_at_ms = coalesce(first_listed_at_ms, $3),
     first_download_at_ms = coalesce(first_download_at_ms, $4),
     last_download_at_ms = coalesce($5, last_download_at_ms), downloads = downloads + $6
   where message_id = $2 and recipient = $1`,
);

/** In the message's row while its events are short; beyond, the row would grow with each. */
export const addInlineEvent = tells(
  'add-inline-event',
  'update message set events = events || $2 where message_id = $1 and octet_length(events) < $3 + 0',
);

export const appendEvent = tells(
  'append-event',
  `insert into event (message_id, event_no, at_ms, actor, kind, detail)
   select message_id,
     (select coalesce(max(event_no), 0) + 1 from event where event.message_id = message.message_id), $2, $3, $4, $5
   from message where message_id = $1`,
);
