import { asks, tells } from '../question.ts';

/**
 * The position the next entry will have; nothing for a mailbox that never had one. Where transactions run side by side
 * this locks the row, so that concurrent ones on one mailbox queue here and a position is visible only after all lower
 * ones.
 */
export const nextPosition = asks<{ position: number }>(
  'next-position',
  'select next_position as position from inbox_counter where mailbox_id = $1',
);

/** Counts an entry in and moves the next position on. Not "returning": that opens a table of its own for one row. */
export const countIn = tells(
  'count-in',
  `insert into inbox_counter (mailbox_id, waiting, next_position) values ($1, 1, 2)
   on conflict (mailbox_id) do update
     set waiting = inbox_counter.waiting + 1, next_position = inbox_counter.next_position + 1`,
);

export const countOut = tells('count-out', 'update inbox_counter set waiting = waiting - 1 where mailbox_id = $1');

export const insertEntry = tells(
  'insert-entry',
  `insert into inbox_entry (mailbox_id, position, message_id, workflow_id, expires_at_ms)
   values ($1, $2, $3, $4, $5)`,
);

export const deleteEntry = tells('delete-entry', 'delete from inbox_entry where mailbox_id = $1 and position = $2');

/** Of a message whose state says that it waits: there is one. */
export const takeEntry = tells('take-entry', deleteEntry.sql);

export const listWaiting = asks<{ messageId: string; position: number }>(
  'list-waiting',
  `select message_id as "messageId", position from inbox_entry
   where mailbox_id = $1 and position > $2 order by position limit $3 + 0`,
);

export const listWaitingWorkflows = asks<{ messageId: string; position: number; workflowId: string }>(
  'list-waiting-workflows',
  `select message_id as "messageId", position, workflow_id as "workflowId" from inbox_entry
   where mailbox_id = $1 and position > $2 order by position limit $3 + 0`,
);

export const readWaiting = asks<{ waiting: number }>(
  'read-waiting',
  'select waiting from inbox_counter where mailbox_id = $1',
);

export const listDue = asks<{ mailbox: string; messageId: string }>(
  'list-due',
  `select mailbox_id as mailbox, message_id as "messageId" from inbox_entry
   where expires_at_ms <= $1 order by expires_at_ms limit $2 + 0`,
);
