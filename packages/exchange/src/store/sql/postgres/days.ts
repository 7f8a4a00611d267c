import type { PostgresConnection, Statement } from './connection.ts';

// Tables that grow with every message are parted by the day that begins a message's id. Days are made ahead, and a day
// whose records have all had their time is dropped whole: deleting its rows would rewrite what it takes a moment to
// unlink. What is to be kept longer than its day moves to the part called _other first.

const tables = [
  { name: 'message', key: 'message_id' },
  { name: 'payload', key: 'payload_id' },
  { name: 'event', key: 'message_id' },
  { name: 'route_step', key: 'message_id' },
] as const;

/** The column whose first eight digits say in which day's part a row lies; undefined for a table that is not parted. */
export function partedBy(table: string): string | undefined {
  return tables.find(({ name }) => name === table)?.key;
}

const dayMs = 86_400_000;
const daysAhead = 7;
/** Of the messages of a day that is dropped at most these are still to be kept, and at most one in so many: they move. */
const keptMax = 10_000;
const keptOneIn = 20;
/** Days dropped in one go. */
const dropsMax = 8;
/** Of a day that is added so many messages may have come before its part: more would keep a start waiting, and stay. */
const movedMax = 50_000;

const dayOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10).replaceAll('-', '');

/** Makes the parts for yesterday and for a week from `nowMs` (service clock) on, as far as they are missing. */
export async function addDays(connection: PostgresConnection, nowMs: number): Promise<void> {
  const there = new Set(await daysThere(connection));
  for (let day = -1; day <= daysAhead; day += 1) {
    const name = dayOf(nowMs + day * dayMs);
    if (!there.has(name)) await addDay(connection, name, dayOf(nowMs + (day + 1) * dayMs));
  }
}

async function daysThere(connection: PostgresConnection): Promise<readonly string[]> {
  const { rows } = await connection.put({
    sql: `select substr(c.relname, 9) as day from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = 'message'::regclass and c.relname ~ '^message_[0-9]{8}$' order by 1`,
  });
  return rows.map(({ day }) => String(day));
}

/** What came before the day's part was made moves into it; where that is too much no part is made, and it stays. */
async function addDay(connection: PostgresConnection, day: string, next: string): Promise<void> {
  const { rows } = await connection.put({
    sql: `select count(*) as count from (select 1 from message_other
      where message_id >= $1 and message_id < $2 limit $3) came`,
    params: [day, next, movedMax + 1],
  });
  if (Number(rows[0]?.count) <= movedMax) await inTransaction(connection, statementsToAdd(day, next));
}

/**
 * Makes the parts for the days that begin these ids, as far as they are missing. For a ledger that is being filled: the
 * transaction is the caller's. What begins with no day gets none.
 */
export async function addDaysOf(connection: PostgresConnection, ids: Iterable<string>): Promise<void> {
  const there = new Set(await daysThere(connection));
  for (const day of new Set(Array.from(ids, (id) => id.slice(0, 8)))) {
    const startMs = Date.parse(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`);
    if (there.has(day) || Number.isNaN(startMs) || dayOf(startMs) !== day) continue;
    for (const statement of statementsToAdd(day, dayOf(startMs + dayMs))) await connection.put(statement);
  }
}

function statementsToAdd(day: string, next: string): readonly Statement[] {
  return tables.flatMap(({ name, key }): readonly Statement[] => {
    const part = `${name}_${day}`;
    const columns = name === 'message' ? messageColumns : '*';
    const list = name === 'message' ? ` (${messageColumns})` : '';
    return [
      { sql: `create table ${part} (like ${name} including all)` },
      ...(name === 'message' ? [{ sql: `alter table ${part} set (fillfactor = 80)` }] : []),
      {
        sql: `with moved as (delete from ${name}_other where ${key} >= '${day}' and ${key} < '${next}' returning ${columns})
          insert into ${part}${list} select ${columns} from moved`,
      },
      { sql: `alter table ${name} attach partition ${part} for values from ('${day}') to ('${next}')` },
    ];
  });
}

/** All but the one that PostgreSQL makes by itself. */
const messageColumns = `message_id, state, recipient, position, sender, payload_id, workflow_id, message_type,
  created_at_ms, accepted_at_ms, expires_at_ms, state_at_ms, acknowledged_at_ms, first_listed_at_ms,
  first_download_at_ms, last_download_at_ms, downloads, hide_at_ms, hidden, remove_at_ms, status_code, status_event,
  status_description, compressed, encrypted, linked_message_id, local_key, sealed, events, addressed_to, made_as,
  made_from, origin_id`;

/**
 * Drops days of which next to nothing is still to be kept at `nowMs` (service clock), the oldest first. Resolves to how many were dropped.
 */
export async function dropDays(connection: PostgresConnection, nowMs: number): Promise<number> {
  // Where two nodes' clocks differ, one may still be in yesterday.
  const yesterday = dayOf(nowMs - dayMs);
  let dropped = 0;
  for (const day of await daysThere(connection)) {
    if (day >= yesterday || dropped === dropsMax) break;
    if (!(await hadItsTime(connection, day, nowMs))) continue;
    await dropDay(connection, day, nowMs);
    dropped += 1;
  }
  return dropped;
}

async function hadItsTime(connection: PostgresConnection, day: string, nowMs: number): Promise<boolean> {
  const kept = await connection.put({
    // Stops at the first that are too many: of a day in the middle of its time nearly all are.
    sql: `select count(*) as kept from (select 1 from message_${day}
      where hidden = 0 or remove_at_ms > $1 limit $2) kept`,
    params: [nowMs, keptMax + 1],
  });
  const keptCount = Number(kept.rows[0]?.kept);
  if (keptCount === 0) return true;
  if (keptCount > keptMax) return false;
  const all = await connection.put({ sql: `select count(*) as count from message_${day}` });
  return Number(all.rows[0]?.count) >= keptCount * keptOneIn;
}

async function dropDay(connection: PostgresConnection, day: string, nowMs: number): Promise<void> {
  const kept = `select message_id from message_${day} where hidden = 0 or remove_at_ms > ${nowMs}`;
  await inTransaction(connection, [
    // From here on nobody adds to it; for as long as this takes nobody reads from it either.
    ...tables.map(({ name }) => ({ sql: `alter table ${name} detach partition ${name}_${day}` })),
    { sql: `create temporary table kept on commit drop as ${kept}` },
    ...['event', 'route_step'].map((name) => ({
      sql: `insert into ${name} select * from ${name}_${day} where message_id in (select message_id from kept)`,
    })),
    {
      sql: `insert into message (${messageColumns}) select ${messageColumns} from message_${day}
        where message_id in (select message_id from kept)`,
    },
    // Also where only a message of another day points to it, and where its bytes are yet to be deleted.
    {
      sql: `insert into payload select p.* from payload_${day} p where p.deleted_at_ms is null
        or exists (select 1 from message m where m.payload_id = p.payload_id and m.message_id >= '${day}')`,
    },
    ...tables.map(({ name }) => ({ sql: `drop table ${name}_${day}` })),
  ]);
}

async function inTransaction(connection: PostgresConnection, statements: readonly Statement[]): Promise<void> {
  await connection.put({ sql: 'begin' });
  try {
    for (const statement of statements) await connection.put(statement);
    await connection.put({ sql: 'commit' });
  } catch (error) {
    if (!connection.isLost) await connection.put({ sql: 'rollback' });
    throw error;
  }
}
