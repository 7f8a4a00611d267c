import { asks, tells } from '../question.ts';

/** Takes the next position and counts the entry in; concurrent transactions on one mailbox queue on this row. */
export const takePosition = asks<{ position: number }>(
  'take-position',
  `insert into inbox_counter (mailbox_id, waiting, next_position) values ($1, 1, 2)
   on conflict (mailbox_id) do update
     set waiting = inbox_counter.waiting + 1, next_position = inbox_counter.next_position + 1
   returning next_position - 1 as position`,
);

export const countOut = tells('count-out', 'update inbox_counter set waiting = waiting - 1 where mailbox_id = $1');

/** A message put back takes its old row with a new position, at the end of the inbox. */
export const insertDelivery = tells(
  'insert-delivery',
  `insert into delivery (mailbox_id, message_id, workflow_id, position, state, expires_at_ms)
   values ($1, $2, $3, $4, 'waiting', $5)
   on conflict (mailbox_id, message_id) do update
     set position = excluded.position, state = 'waiting', expires_at_ms = excluded.expires_at_ms,
       acknowledged_at_ms = null`,
);

export const acknowledgeDelivery = tells(
  'acknowledge-delivery',
  `update delivery set state = 'acknowledged', acknowledged_at_ms = $3
   where mailbox_id = $1 and message_id = $2 and state = 'waiting'`,
);

/** The same with facts of collection that were still to be written. */
export const acknowledgeCollected = tells(
  'acknowledge-collected',
  `update delivery set state = 'acknowledged', acknowledged_at_ms = $3,
     first_listed_at_ms = coalesce(first_listed_at_ms, $4), first_download_at_ms = coalesce(first_download_at_ms, $5),
     last_download_at_ms = coalesce($6, last_download_at_ms), downloads = downloads + $7
   where mailbox_id = $1 and message_id = $2 and state = 'waiting'`,
);

export const withdrawDelivery = tells(
  'withdraw-delivery',
  `update delivery set state = 'withdrawn' where mailbox_id = $1 and message_id = $2 and state = 'waiting'`,
);

export const readDelivery = asks<{ state: string; expiresAtMs: number }>(
  'read-delivery',
  'select state, expires_at_ms as "expiresAtMs" from delivery where mailbox_id = $1 and message_id = $2',
);

export const recordCollection = tells(
  'record-collection',
  `update delivery set first_listed_at_ms = coalesce(first_listed_at_ms, $3),
     first_download_at_ms = coalesce(first_download_at_ms, $4),
     last_download_at_ms = coalesce($5, last_download_at_ms), downloads = downloads + $6
   where mailbox_id = $1 and message_id = $2`,
);

export const listWaiting = asks<{ messageId: string; position: number }>(
  'list-waiting',
  `select message_id as "messageId", position from delivery
   where mailbox_id = $1 and state = 'waiting' and position > $2 order by position limit $3 + 0`,
);

export const listWaitingWorkflows = asks<{ messageId: string; position: number; workflowId: string }>(
  'list-waiting-workflows',
  `select message_id as "messageId", position, workflow_id as "workflowId" from delivery
   where mailbox_id = $1 and state = 'waiting' and position > $2 order by position limit $3 + 0`,
);

export const readWaiting = asks<{ waiting: number }>(
  'read-waiting',
  'select waiting from inbox_counter where mailbox_id = $1',
);

export const listDue = asks<{ mailbox: string; messageId: string }>(
  'list-due',
  `select mailbox_id as mailbox, message_id as "messageId" from delivery
   where state = 'waiting' and expires_at_ms <= $1 order by expires_at_ms limit $2 + 0`,
);

export const readPosition = asks<{ position: number }>(
  'read-position',
  'select position from delivery where mailbox_id = $1 and message_id = $2',
);
