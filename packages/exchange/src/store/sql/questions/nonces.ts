import { asks, tells } from '../question.ts';

/** The claims of one commit whose tokens are refused by their own timestamps from $1 on. */
export const appendNonces = tells('append-nonces', 'insert into nonce_log (expires_at_ms, prints) values ($1, $2)');

/**
 * The next $2 rows after $1, joined into one for each date: there may be millions of small ones, and handing over a row
 * costs more than all that is done with it. Also those past their date: they are swept by the clock that dated them, not
 * by this process's.
 */
export const listNonces = asks<{ lastEntryNo: number; expiresAtMs: number; prints: string }>(
  'list-nonces',
  `select max(entry_no) as "lastEntryNo", expires_at_ms as "expiresAtMs", group_concat(hex(prints), '') as prints
   from (select entry_no, expires_at_ms, prints from nonce_log where entry_no > $1 order by entry_no limit $2 + 0) as next
   group by expires_at_ms`,
);

export const sweepNonces = tells(
  'sweep-nonces',
  `delete from nonce_log where entry_no in
     (select entry_no from nonce_log where expires_at_ms <= $1 order by entry_no limit $2 + 0)`,
);
