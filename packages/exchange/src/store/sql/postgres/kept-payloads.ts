import type { PostgresConnection } from './connection.ts';

/** Rows looked at by one statement, and statements at most: the rest is for the next time. */
const lookedAtOnce = 5000;
const statementsMax = 1000;

/**
 * Drops what was kept of payloads beyond their day, once their bytes are deleted and no message points to them: the last
 * that did went with a day of its own, or the bytes were deleted later than they should have been. A message of another
 * day was made of the payload's own, and says so.
 */
export async function dropKeptPayloads(connection: PostgresConnection): Promise<void> {
  let after = '';
  for (let number = 0; number < statementsMax; number += 1) {
    const { rows } = await connection.put({
      sql: `with looked_at as (
          select payload_id from payload_other where payload_id > $1 and deleted_at_ms is not null
          order by payload_id limit $2
        ), dropped as (
          delete from payload_other where payload_id in (
            select payload_id from looked_at
            where not exists (select 1 from message where message_id = looked_at.payload_id)
              and not exists (select 1 from message where origin_id = looked_at.payload_id))
        )
        select max(payload_id) as last from looked_at`,
      params: [after, lookedAtOnce],
    });
    const last = rows[0]?.['last'];
    if (typeof last !== 'string') return;
    after = last;
  }
}
