import { asks, tells } from '../question.ts';

/** Up to which number messages are filed, and the highest there is; null in an empty ledger. */
export const readFiling = asks<{ filed: number; last: number | null }>(
  'read-filing',
  'select message_no as filed, (select max(message_no) from message) as last from filing where one = 1',
);

/** Numbers over $1 and up to $2. */
export const fileMessages = tells(
  'file-messages',
  'update message set filed = 1 where message_no > $1 and message_no <= $2 and filed = 0',
);

export const moveFiling = tells('move-filing', 'update filing set message_no = $1 where one = 1');

/** A number may be given again when the highest were removed: it must lie beyond what is filed. */
export const lowerFiling = tells(
  'lower-filing',
  `update filing set message_no = (select coalesce(max(message_no), 0) from message)
   where one = 1 and message_no > (select coalesce(max(message_no), 0) from message)`,
);
