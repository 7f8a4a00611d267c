import { asks, tells } from '../question.ts';

/** One that has longer to go than twice its span was taken under a clock that was ahead: nobody would wait for its end. */
export const takeLease = tells(
  'take-lease',
  `insert into lease (name, holder, until_ms) values ($1, $2, $4)
   on conflict (name) do update set holder = excluded.holder, until_ms = excluded.until_ms
     where lease.holder = $2 or lease.until_ms <= $3 or lease.until_ms > $4 + ($4 - $3)`,
);

export const listStalledUploads = asks<{ messageId: string }>(
  'list-stalled-uploads',
  `select message_id as "messageId" from message
   where state in ('uploading', 'routing') and created_at_ms <= $1 and state = 'uploading'
   order by created_at_ms limit $2 + 0`,
);

export const listDuePayloads = asks<{ payloadId: string }>(
  'list-due-payloads',
  `select payload_id as "payloadId" from payload where deleted_at_ms is null and keep_until_ms <= $1
   order by keep_until_ms limit $2 + 0`,
);

/** Not "is not null": where few bodies had references when rows were counted, the engine would walk all of those. */
export const listPayloadBodies = asks<{ ref: string }>(
  'list-payload-bodies',
  `select body_ref as ref from payload where payload_id = $1 and length(body_ref) > 0
   union all select body_ref from chunk where payload_id = $1 and length(body_ref) > 0`,
);

/**
 * The wrapped key goes with the bytes: without it no copy of them can be read. What is kept longer by now stays; "+ 0",
 * for it is to be found by its id.
 */
export const forgetPayload = tells(
  'forget-payload',
  `update payload set deleted_at_ms = $2, wrapped_key = null, key_id = null, body_ref = null, inline_body = null
   where payload_id = $1 and keep_until_ms + 0 <= $2 and deleted_at_ms is null`,
);

export const dropChunks = tells('drop-chunks', 'delete from chunk where payload_id = $1');

export const hideRecords = tells(
  'hide-records',
  `update message set hidden = 1, sealed = '', local_key = null where message_id in
     (select message_id from message where hidden = 0 and hide_at_ms <= $1 order by hide_at_ms limit $2 + 0)`,
);

export const listRemovable = asks<{
  messageId: string;
  recipient: string | null;
  position: number | null;
  payloadId: string | null;
}>(
  'list-removable',
  `select message_id as "messageId", recipient, position, payload_id as "payloadId" from message
   where hidden = 1 and remove_at_ms <= $1 order by remove_at_ms limit $2 + 0`,
);

export const dropMessage = tells('drop-message', 'delete from message where message_id = $1');
export const dropEvents = tells('drop-events', 'delete from event where message_id = $1');
export const dropDeletedPayload = tells(
  'drop-deleted-payload',
  'delete from payload where payload_id = $1 and deleted_at_ms is not null',
);

export const sweepIdempotency = tells(
  'sweep-idempotency',
  `delete from idempotency where (mailbox_id, key) in
     (select mailbox_id, key from idempotency where expires_at_ms <= $1 order by expires_at_ms limit $2 + 0)`,
);

export const sweepRefusals = tells(
  'sweep-refusals',
  `delete from refusal where refusal_id in
     (select refusal_id from refusal where at_ms <= $1 order by at_ms limit $2 + 0)`,
);

export const findBodyRef = asks<{ found: number }>(
  'find-body-ref',
  `select 1 as found from payload where body_ref = $1
   union all select 1 from chunk where body_ref = $1 limit 1`,
);

export const readMeta = asks<{ value: string }>('read-meta', 'select value from meta where key = $1');
export const writeMeta = tells(
  'write-meta',
  'insert into meta (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value',
);
