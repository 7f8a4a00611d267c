import { asks, tells } from '../question.ts';

/** The claims of one commit whose tokens are refused by their own timestamps from $1 on. */
export const appendNonces = tells('append-nonces', 'insert into nonce_log (expires_at_ms, prints) values ($1, $2)');

/** All of them: those past their date are swept by the clock that dated them, not by this process's. */
export const listNonces = asks<{ expiresAtMs: number; prints: Uint8Array }>(
  'list-nonces',
  'select expires_at_ms as "expiresAtMs", prints from nonce_log',
);

export const sweepNonces = tells(
  'sweep-nonces',
  `delete from nonce_log where entry_no in
     (select entry_no from nonce_log where expires_at_ms <= $1 order by entry_no limit $2 + 0)`,
);
