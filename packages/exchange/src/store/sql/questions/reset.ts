import { asks, tells } from '../question.ts';

export const listRecipientBodies = asks<{ ref: string }>(
  'list-mailbox-bodies',
  `select c.body_ref as ref from message m join chunk c on c.payload_id = m.payload_id
   where c.body_ref is not null and (m.sender = $1 or m.recipient = $1)`,
);
export const listAllBodies = asks<{ ref: string }>(
  'list-all-bodies',
  'select body_ref as ref from chunk where body_ref is not null',
);

export const listMailboxMessages = asks<{ messageId: string; recipient: string | null; payloadId: string | null }>(
  'list-mailbox-messages',
  `select message_id as "messageId", recipient, payload_id as "payloadId" from message
   where sender = $1 or recipient = $1`,
);
export const recount = tells(
  'recount',
  `update inbox_counter set waiting =
     (select count(*) from delivery d where d.mailbox_id = inbox_counter.mailbox_id and d.state = 'waiting')`,
);
export const dropPayload = tells('drop-payload', 'delete from payload where payload_id = $1');

/** Positions go on where they were, so that a page token from before the reset cannot point into the future. */
export const emptyTables = [
  tells('empty-event', 'delete from event'),
  tells('empty-delivery', 'delete from delivery'),
  tells('empty-message', 'delete from message'),
  tells('empty-chunk', 'delete from chunk'),
  tells('empty-payload', 'delete from payload'),
  tells('empty-idempotency', 'delete from idempotency'),
  tells('empty-refusal', 'delete from refusal'),
  tells('zero-counters', 'update inbox_counter set waiting = 0'),
];
