import type { NonceClaim } from '../../ledger/nonces.ts';
import { readHex } from '../fingerprints.ts';
import type { UsedToken } from '../table-copy.ts';
import { fingerprintOf, saltKey, UsedTokens } from '../used-tokens.ts';
import { columnOf } from './arrays.ts';
import type { PostgresConnection } from './connection.ts';

// A ledger that came from SQLite has, for some hours, fingerprints of the tokens that were used there. They lie among the
// tokens under a mailbox that none can be, and are swept with them. Nothing is ever added, so each node reads them once.

const movedMailbox = '';
const readTogether = 10_000;

export interface MovedTokens {
  /** When the token was used before the move, milliseconds since 1970; undefined when it was not. */
  find(claim: NonceClaim): number | undefined;
}

/** Writes some of them, in the caller's transaction. */
export async function putMovedTokens(connection: PostgresConnection, tokens: readonly UsedToken[]): Promise<void> {
  await connection.put({
    sql: `insert into nonce (mailbox_id, nonce, seen_at_ms, expires_at_ms)
      select '${movedMailbox}', print, seen, expires from unnest($1::text[], $2::bigint[], $3::bigint[]) t(print, seen, expires)
      on conflict (mailbox_id, nonce) do nothing`,
    params: [
      columnOf(
        'text',
        tokens.map(({ print }) => print),
      ),
      columnOf(
        'bigint',
        tokens.map(({ seenAtMs }) => seenAtMs),
      ),
      columnOf(
        'bigint',
        tokens.map(({ expiresAtMs }) => expiresAtMs),
      ),
    ],
  });
}

/** Those that are there; undefined when there are none, as in nearly all the life of a ledger. */
export async function readMovedTokens(connection: PostgresConnection): Promise<MovedTokens | undefined> {
  const used = new UsedTokens();
  let after = '';
  for (;;) {
    const { rows } = await connection.put({
      sql: `select nonce, seen_at_ms as "seenAtMs", expires_at_ms as "expiresAtMs" from nonce
        where mailbox_id = '${movedMailbox}' and nonce > $1 order by nonce limit $2 + 0`,
      params: [after, readTogether],
    });
    for (const { nonce, seenAtMs, expiresAtMs } of rows) {
      used.add(readHex(String(nonce)), Number(expiresAtMs), Number(expiresAtMs) - Number(seenAtMs));
    }
    const last = rows.at(-1);
    if (last === undefined) break;
    after = String(last['nonce']);
  }
  if (after === '') return undefined;
  const salt = await connection.put({ sql: 'select value from meta where key = $1', params: [saltKey] });
  const [row] = salt.rows;
  if (row === undefined) throw new Error('tokens were moved into this ledger without the key of their fingerprints');
  return { find: (claim) => used.find(fingerprintOf(String(row['value']), claim), claim.seenAtMs) };
}
