import type { NonceClaim } from '../../ledger/nonces.ts';
import { columnOf } from './arrays.ts';
import type { Answer, Statement } from './connection.ts';

export const claimNonces: Pick<Statement, 'name' | 'sql'> = {
  name: 'claim-nonces',
  sql: `insert into nonce (mailbox_id, nonce, seen_at_ms, expires_at_ms)
    select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) on conflict (mailbox_id, nonce) do nothing
    returning mailbox_id as mailbox, nonce`,
};
export const readNonces: Pick<Statement, 'name' | 'sql'> = {
  name: 'read-nonces',
  sql: `select n.mailbox_id as mailbox, n.nonce, n.seen_at_ms as "seenAtMs" from nonce n
    join unnest($1::text[], $2::text[]) q(mailbox, nonce) on n.mailbox_id = q.mailbox and n.nonce = q.nonce
    where n.mailbox_id = any($1::text[])`,
};

/** A mailbox's id holds no blank. */
const keyOf = (mailbox: unknown, nonce: unknown): string => `${String(mailbox)} ${String(nonce)}`;

/** The single use of tokens where many nodes share the ledger: what was claimed is a row, and its key refuses another. */
export class BatchNonces {
  readonly #put: (statement: Statement) => Promise<Answer>;
  /** What this batch claimed, and when. */
  readonly #claimed = new Map<string, number>();

  constructor(put: (statement: Statement) => Promise<Answer>) {
    this.#put = put;
  }

  /** For each claim, when its nonce was claimed before; undefined where it is claimed now. */
  async claim(claims: readonly NonceClaim[]): Promise<readonly (number | undefined)[]> {
    const fresh = new Map<string, NonceClaim>();
    const again = new Set<number>();
    for (const [at, wanted] of claims.entries()) {
      const key = keyOf(wanted.mailbox, wanted.nonce);
      if (this.#claimed.has(key)) again.add(at);
      else {
        fresh.set(key, wanted);
        this.#claimed.set(key, wanted.seenAtMs);
      }
    }
    const before = fresh.size === 0 ? new Map<string, number>() : await this.#insert([...fresh.values()]);
    for (const key of before.keys()) this.#claimed.delete(key);
    return claims.map(({ mailbox, nonce }, at) => {
      const key = keyOf(mailbox, nonce);
      return before.get(key) ?? (again.has(at) ? this.#claimed.get(key) : undefined);
    });
  }

  /** Those that were claimed in earlier transactions, and when. */
  async #insert(claims: readonly NonceClaim[]): Promise<ReadonlyMap<string, number>> {
    const mailboxes = columnOf(
      'text',
      claims.map(({ mailbox }) => mailbox),
    );
    const nonces = columnOf(
      'text',
      claims.map(({ nonce }) => nonce),
    );
    const times = [
      columnOf(
        'bigint',
        claims.map(({ seenAtMs }) => seenAtMs),
      ),
      columnOf(
        'bigint',
        claims.map(({ expiresAtMs }) => expiresAtMs),
      ),
    ];
    const { rows } = await this.#put({ ...claimNonces, params: [mailboxes, nonces, ...times] });
    if (rows.length === claims.length) return new Map();
    const mine = new Set(rows.map(({ mailbox, nonce }) => keyOf(mailbox, nonce)));
    const answer = await this.#put({ ...readNonces, params: [mailboxes, nonces] });
    const earlier = answer.rows.filter(({ mailbox, nonce }) => !mine.has(keyOf(mailbox, nonce)));
    return new Map(earlier.map(({ mailbox, nonce, seenAtMs }) => [keyOf(mailbox, nonce), Number(seenAtMs)]));
  }
}
