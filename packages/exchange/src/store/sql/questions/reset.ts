import { asks, tells } from '../question.ts';

export const listAllBodies = asks<{ ref: string }>(
  'list-all-bodies',
  `select body_ref as ref from payload where body_ref is not null
   union all select body_ref from chunk where body_ref is not null`,
);

export const listMailboxMessages = asks<{ messageId: string; recipient: string | null; position: number | null }>(
  'list-mailbox-messages',
  'select message_id as "messageId", recipient, position from message where sender = $1 or recipient = $1',
);
export const listUnnamedPayloads = asks<{ payloadId: string }>(
  'list-unnamed-payloads',
  `select payload_id as "payloadId" from payload
   where payload_id not in (select payload_id from message where payload_id is not null)`,
);
export const forgetKeys = tells('forget-keys', 'delete from idempotency where mailbox_id = $1');
export const dropPayload = tells('drop-payload', 'delete from payload where payload_id = $1');

/** Positions go on where they were, so that a page token from before the reset cannot point into the future. */
export const emptyTables = [
  tells('empty-event', 'delete from event'),
  tells('empty-inboxes', 'delete from inbox_entry'),
  tells('empty-message', 'delete from message'),
  tells('empty-chunk', 'delete from chunk'),
  tells('empty-payload', 'delete from payload'),
  tells('empty-idempotency', 'delete from idempotency'),
  tells('empty-refusal', 'delete from refusal'),
  tells('zero-counters', 'update inbox_counter set waiting = 0'),
];
