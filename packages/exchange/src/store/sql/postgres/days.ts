import type { PostgresConnection, Statement } from './connection.ts';
import { isNotThere, stoodInTheWay } from './faults.ts';

// Tables that grow with every message are parted by the day that begins a message's id. Days are made ahead, and a day
// whose records have all had their time is dropped whole: deleting its rows would rewrite what it takes a moment to
// unlink. What is to be kept longer than its day moves to the part called _other first.
//
// A reader that has made its plan and waits for one part to be free goes on with that plan, on rows as they are by then:
// it would not find what went to a part that its plan does not know. So the tables themselves are locked first, which is
// what a plan begins with. A backup holds them for as long as it reads, and all traffic waits behind whoever waits for
// it: it is never waited for long, and what was not done is done another time.

const tables = [
  { name: 'message', key: 'message_id' },
  { name: 'payload', key: 'payload_id' },
  { name: 'event', key: 'message_id' },
  { name: 'route_step', key: 'message_id' },
] as const;

/** Their names, as a statement lists them: whoever holds them sees to it that no day is added or dropped. */
export const partedTables = tables.map(({ name }) => name).join(', ');

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

/** So long all traffic may wait behind the wait for somebody who reads for long. */
const lockWait = '250ms';
const attemptsMax = 4;
/** Held while days are added or dropped: of many nodes one does it. */
const daysLock = 7_161_002;

const dayOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10).replaceAll('-', '');
/** NaN for what is no day. */
const startMsOf = (day: string): number => Date.parse(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`);

/**
 * Makes the parts for yesterday and for a week from `nowMs` (service clock) on, as far as they are missing. Where
 * somebody who reads for long stands in the way, the rest is left for the next time. Resolves to whether tomorrow's is
 * there: without it messages go to _other.
 */
export async function addDays(connection: PostgresConnection, nowMs: number): Promise<boolean> {
  const there = new Set(await daysThere(connection));
  for (let day = -1; day <= daysAhead; day += 1) {
    const name = dayOf(nowMs + day * dayMs);
    if (there.has(name)) continue;
    if (!(await addDay(connection, name, dayOf(nowMs + (day + 1) * dayMs)))) break;
    there.add(name);
  }
  return there.has(dayOf(nowMs + dayMs));
}

async function daysThere(connection: PostgresConnection): Promise<readonly string[]> {
  const { rows } = await connection.put({
    sql: `select substr(c.relname, 9) as day from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = 'message'::regclass and c.relname ~ '^message_[0-9]{8}$' order by 1`,
  });
  return rows.map(({ day }) => String(day));
}

/**
 * What came before the day's part was made moves into it; where that is too much no part is made, and it stays. Resolves
 * to false when somebody stood in the way.
 */
async function addDay(connection: PostgresConnection, day: string, next: string): Promise<boolean> {
  const { rows } = await connection.put({
    sql: `select count(*) as count from (select 1 from message_other
      where message_id >= $1 and message_id < $2 limit $3) came`,
    params: [day, next, movedMax + 1],
  });
  if (Number(rows[0]?.count) > movedMax) return true;
  return changeDays(connection, day, {
    before: statementsToMake(day),
    whileLocked: [...statementsToMove(day, next), ...statementsToAttach(day, next)],
    isDone: (isThere) => isThere,
  });
}

/**
 * Makes the parts for the days that begin these ids, as far as they are missing. For a ledger that is being filled: the
 * transaction is the caller's. What begins with no day gets none.
 */
export async function addDaysOf(connection: PostgresConnection, ids: Iterable<string>): Promise<void> {
  const there = new Set(await daysThere(connection));
  for (const day of new Set(Array.from(ids, (id) => id.slice(0, 8)))) {
    const startMs = startMsOf(day);
    if (there.has(day) || Number.isNaN(startMs) || dayOf(startMs) !== day) continue;
    const next = dayOf(startMs + dayMs);
    const all = [...statementsToMake(day), ...statementsToMove(day, next), ...statementsToAttach(day, next)];
    for (const statement of all) await connection.put(statement);
  }
}

function statementsToMake(day: string): readonly Statement[] {
  return [
    ...tables.map(({ name }) => ({ sql: `create table ${name}_${day} (like ${name} including all)` })),
    { sql: `alter table message_${day} set (fillfactor = 80)` },
  ];
}

function statementsToMove(day: string, next: string): readonly Statement[] {
  return tables.map(({ name, key }) => {
    const columns = name === 'message' ? messageColumns : '*';
    const list = name === 'message' ? ` (${messageColumns})` : '';
    return {
      sql: `with moved as (delete from ${name}_other where ${key} >= '${day}' and ${key} < '${next}' returning ${columns})
        insert into ${name}_${day}${list} select ${columns} from moved`,
    };
  });
}

function statementsToAttach(day: string, next: string): readonly Statement[] {
  return tables.map(({ name }) => ({
    sql: `alter table ${name} attach partition ${name}_${day} for values from ('${day}') to ('${next}')`,
  }));
}

/** All but the one that PostgreSQL makes by itself. */
const messageColumns = `message_id, state, recipient, position, sender, payload_id, workflow_id, message_type,
  created_at_ms, accepted_at_ms, expires_at_ms, state_at_ms, acknowledged_at_ms, first_listed_at_ms,
  first_download_at_ms, last_download_at_ms, downloads, hide_at_ms, hidden, remove_at_ms, status_code, status_event,
  status_description, compressed, encrypted, linked_message_id, local_key, sealed, events, addressed_to, made_as,
  made_from, origin_id`;

/**
 * Drops days of which next to nothing is still to be kept at `nowMs` (service clock), the oldest first, until somebody
 * who reads for long stands in the way. Resolves to how many were dropped.
 */
export async function dropDays(connection: PostgresConnection, nowMs: number): Promise<number> {
  // Where two nodes' clocks differ, one may still be in yesterday.
  const yesterday = dayOf(nowMs - dayMs);
  let dropped = 0;
  for (const day of await daysThere(connection)) {
    if (day >= yesterday || dropped === dropsMax) break;
    if (!(await hadItsTime(connection, day, nowMs))) continue;
    if (!(await dropDay(connection, day, nowMs))) break;
    dropped += 1;
  }
  return dropped;
}

async function hadItsTime(connection: PostgresConnection, day: string, nowMs: number): Promise<boolean> {
  try {
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
  } catch (error) {
    // Another node dropped it meanwhile.
    if (isNotThere(error)) return false;
    throw error;
  }
}

function dropDay(connection: PostgresConnection, day: string, nowMs: number): Promise<boolean> {
  const whileLocked = [
    // From here on nobody adds to it; for as long as this takes nobody reads from it either.
    ...tables.map(({ name }) => ({ sql: `alter table ${name} detach partition ${name}_${day}` })),
    {
      sql: `create temporary table kept on commit drop as
        select message_id, payload_id from message_${day} where hidden = 0 or remove_at_ms > ${nowMs}`,
    },
    ...['event', 'route_step'].map((name) => ({
      sql: `insert into ${name} select * from ${name}_${day} where message_id in (select message_id from kept)`,
    })),
    {
      sql: `insert into message (${messageColumns}) select ${messageColumns} from message_${day}
        where message_id in (select message_id from kept)`,
    },
    ...statementsToKeepPayloads(day),
    ...tables.map(({ name }) => ({ sql: `drop table ${name}_${day}` })),
  ];
  return changeDays(connection, day, { before: [], whileLocked, isDone: (isThere) => !isThere });
}

/**
 * Those whose bytes are yet to be deleted, and those that a message points to which stays, also one of another day: that was
 * made of the payload's own, and says so. Looking for a message for each payload would take minutes, and all wait.
 */
function statementsToKeepPayloads(day: string): readonly Statement[] {
  const next = dayOf(startMsOf(day) + dayMs);
  return [
    { sql: `insert into payload select * from payload_${day} where deleted_at_ms is null` },
    {
      sql: `create temporary table pointed_to on commit drop as
        select payload_id from kept union
        select payload_id from message where origin_id >= '${day}' and origin_id < '${next}'`,
    },
    {
      sql: `insert into payload select * from payload_${day}
        where deleted_at_ms is not null and payload_id in (select payload_id from pointed_to)`,
    },
  ];
}

interface ChangeOfDays {
  readonly before: readonly Statement[];
  readonly whileLocked: readonly Statement[];
  /** Whether another node did it meanwhile, from whether the day's part is there. */
  readonly isDone: (isThere: boolean) => boolean;
}

/** Resolves to false when somebody stood in the way each time: a batch of a busy node is over by the next, a backup is not. */
async function changeDays(connection: PostgresConnection, day: string, change: ChangeOfDays): Promise<boolean> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    if (await tryToChange(connection, day, change)) return true;
  }
  return false;
}

/** All of it or nothing. Resolves to false when somebody stood in the way. */
async function tryToChange(connection: PostgresConnection, day: string, change: ChangeOfDays): Promise<boolean> {
  await connection.put({ sql: 'begin' });
  try {
    await connection.put({ sql: `set local lock_timeout = '${lockWait}'` });
    await connection.put({ sql: 'select pg_advisory_xact_lock($1)', params: [daysLock] });
    if (!change.isDone((await daysThere(connection)).includes(day))) {
      for (const statement of change.before) await connection.put(statement);
      await connection.put({ sql: `lock table only ${partedTables} in access exclusive mode` });
      for (const statement of change.whileLocked) await connection.put(statement);
    }
    await connection.put({ sql: 'commit' });
    return true;
  } catch (error) {
    if (!connection.isLost) await connection.put({ sql: 'rollback' });
    if (stoodInTheWay(error)) return false;
    throw error;
  }
}
