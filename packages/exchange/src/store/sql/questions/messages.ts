import { asks, tells } from '../question.ts';

export const readRegistryVersion = asks<{ version: number }>(
  'read-registry-version',
  'select version from registry_version where one = 1',
);

export const readIdempotency = asks<{ fingerprint: string; messageId: string }>(
  'read-idempotency',
  'select fingerprint, message_id as "messageId" from idempotency where mailbox_id = $1 and key = $2',
);

export const claimIdempotency = tells(
  'claim-idempotency',
  'insert into idempotency (mailbox_id, key, fingerprint, message_id, expires_at_ms) values ($1, $2, $3, $4, $5)',
);

export const insertPayload = tells(
  'insert-payload',
  `insert into payload (payload_id, total_chunks, stored_chunks, size_bytes, content_encoding, keep_until_ms)
   values ($1, $2, 1, $3, $4, $5) on conflict (payload_id) do nothing`,
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

/** A copy or resend may only push the date later. */
export const keepPayload = tells(
  'keep-payload',
  'update payload set keep_until_ms = $2 where payload_id = $1 and keep_until_ms < $2',
);

export const insertMessage = tells(
  'insert-message',
  `insert into message
     (message_id, message_type, sender, recipient, workflow_id, payload_id, state, status_code, status_event,
      status_description, compressed, encrypted, sealed, local_key, linked_message_id, created_at_ms, accepted_at_ms,
      state_at_ms, hide_at_ms, remove_at_ms)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $16, $18, $19)
   on conflict (message_id) do nothing`,
);

export const readUpload = asks<{
  state: string;
  sender: string | null;
  recipient: string | null;
  payloadId: string | null;
  workflowId: string;
  sizeBytes: number;
}>(
  'read-upload',
  `select m.state, m.sender, m.recipient, m.payload_id as "payloadId", m.workflow_id as "workflowId",
     p.size_bytes as "sizeBytes"
   from message m join payload p on p.payload_id = m.payload_id where m.message_id = $1`,
);

export const readState = asks<{
  state: string;
  recipient: string | null;
  workflowId: string;
  payloadId: string | null;
}>(
  'read-state',
  `select state, recipient, workflow_id as "workflowId", payload_id as "payloadId" from message
   where message_id = $1`,
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

export const acknowledgeMessage = tells(
  'acknowledge-message',
  `update message set state = 'acknowledged', state_at_ms = $2 where message_id = $1 and state = 'accepted'`,
);

export const insertEvent = tells(
  'insert-event',
  `insert into event (message_id, event_no, at_ms, actor, kind, detail) values ($1, $2, $3, $4, $5, $6)`,
);

export const appendEvent = tells(
  'append-event',
  `insert into event (message_id, event_no, at_ms, actor, kind, detail)
   select $1, coalesce(max(event_no), 0) + 1, $2, $3, $4, $5 from event where message_id = $1`,
);
