import type { Question, SqlValue } from '../question.ts';
import * as inbox from '../questions/inbox.ts';
import * as messages from '../questions/messages.ts';
import * as records from '../questions/records.ts';
import { type ColumnKind, columnOf } from './arrays.ts';
import { stateColumns } from './dialect.ts';

/** A question that many conversations ask at once, as one statement over their parameters as columns. */
export interface AskedTogether {
  readonly sql: string;
  /** Of the question's parameters, in their order. */
  readonly kinds: readonly ColumnKind[];
  /** The parameter that holds the ids of messages: the least and the greatest of them follow the columns. */
  readonly spans?: number;
  /** Takes, after those, the ids among which payloads are looked for, and the least and the greatest of these. */
  readonly payloads?: true;
}

type Params = readonly SqlValue[];

const [t, n, b]: readonly ['text', 'bigint', 'bytea'] = ['text', 'bigint', 'bytea'];

/** `unnest($1::text[], $2::bigint[], …) with ordinality q(p1, p2, …, nth)`: the parameters as rows, numbered from 1. */
function rowsOf(kinds: readonly ColumnKind[]): string {
  const columns = kinds.map((kind, at) => `$${at + 1}::${kind}[]`);
  const names = kinds.map((_, at) => `p${at + 1}`);
  return `unnest(${columns.join(', ')}) with ordinality q(${names.join(', ')}, nth)`;
}

function together(kinds: readonly ColumnKind[], sql: (rows: string) => string): AskedTogether {
  return { kinds, sql: sql(rowsOf(kinds)) };
}

/**
 * "id is one of these", with the span that they lie in: a plan that is made once for all batches leaves out the days
 * outside of two values, but not those outside of an array's.
 */
function oneOf(id: string, ids: string, least: string, greatest: string): string {
  return `${id} = any(${ids}::text[]) and ${id} between ${least} and ${greatest}`;
}

/**
 * A message with its payload, for all of `$1`. Looking for payloads in every day there is would take longer than the
 * answer: they are looked for among `$4`, which is the same ids at first, for a message that is nobody's copy has its
 * payload under its own id.
 */
function withPayload({ sql }: Question<object>): AskedTogether {
  const columns = sql.slice('select '.length, sql.indexOf('from message m'));
  return {
    kinds: [t],
    sql: `select q.nth, ${columns} from ${rowsOf([t])} join message m on m.message_id = q.p1
      left join payload p on p.payload_id = m.payload_id and ${oneOf('p.payload_id', '$4', '$5', '$6')}
      where ${oneOf('m.message_id', '$1', '$2', '$3')}`,
    spans: 0,
    payloads: true,
  };
}

/** The parameters of one statement for many asks, each with its own. */
export function paramsOf({ kinds, spans, payloads }: AskedTogether, asks: readonly Params[]): (Buffer | string)[] {
  const columns = kinds.map((kind, at) =>
    columnOf(
      kind,
      asks.map((params) => params[at] ?? null),
    ),
  );
  if (spans === undefined) return columns;
  const ids = asks.map((params) => String(params[spans]));
  if (payloads === true) return [...idsOf(ids), ...idsOf(ids)];
  return [...columns, ...spanOf(ids)];
}

/** A column of ids, and the span that they lie in. */
export function idsOf(ids: readonly string[]): (Buffer | string)[] {
  return [columnOf('text', ids), ...spanOf(ids)];
}

/** The least and the greatest, as the collation "C" orders them. */
function spanOf(ids: readonly string[]): [string, string] {
  const first = ids[0] ?? '';
  let [least, greatest] = [first, first];
  for (const id of ids) {
    if (id < least) least = id;
    else if (id > greatest) greatest = id;
  }
  return [least, greatest];
}

/** Over a column of ids and their span. */
export const lockMessages = {
  name: 'lock-messages',
  sql: `select 1 as locked from message m where ${oneOf('m.message_id', '$1', '$2', '$3')} order by m.message_id
    for update of m`,
};

/**
 * Answered at once, by rows that carry the number of the ask (`nth`): one, all, or for a change their count. Rows that
 * decisions rest on are locked in the order of their ids, on every node.
 */
export const togetherNow: ReadonlyMap<string, AskedTogether> = new Map([
  [
    messages.readState.name,
    {
      ...together(
        [t],
        (rows) => `select q.nth, ${stateColumns} from message m join ${rows} on q.p1 = m.message_id
          where ${oneOf('m.message_id', '$1', '$2', '$3')} order by m.message_id for update of m`,
      ),
      spans: 0,
    },
  ],
  [records.findMessage.name, withPayload(records.findMessage)],
  [records.findMessageWithBody.name, withPayload(records.findMessageWithBody)],
  [
    inbox.listWaiting.name,
    together(
      [t, n, n],
      (rows) => `select q.nth, e.message_id as "messageId", e.position from ${rows}
        cross join lateral (select message_id, position from inbox_entry
          where mailbox_id = q.p1 and position > q.p2 order by position limit q.p3) e
        order by q.nth, e.position`,
    ),
  ],
  [
    inbox.readWaiting.name,
    together([t], (rows) => `select q.nth, c.waiting from ${rows} join inbox_counter c on c.mailbox_id = q.p1`),
  ],
  [
    inbox.deleteEntry.name,
    together(
      [t, n],
      (rows) => `delete from inbox_entry e using ${rows} where e.mailbox_id = q.p1 and e.position = q.p2
        returning q.nth`,
    ),
  ],
]);

/** A change that can wait for the end of its batch. */
export interface PutLater extends AskedTogether {
  /** Each changes one row, and was told so; otherwise none or one, and nobody asks. */
  readonly sure: boolean;
  /** The parameters that name the row: two changes of one row are never in one statement. */
  readonly key: readonly number[];
}

/**
 * Each of the asks changes one row, or the statement fails (with 22012, a division by zero): the commit is on its way
 * behind it, so that it is too late for anybody else to count. Each is asked by itself then.
 */
function surely({ sql, kinds, spans }: AskedTogether): Pick<PutLater, 'sql' | 'sure'> {
  const expected = `$${kinds.length + (spans === undefined ? 1 : 3)}`;
  return {
    sql: `with changed as (${sql} returning 1) select 1 / (case count(*) when ${expected} then 1 else 0 end) from changed`,
    sure: true,
  };
}

/** "insert into x (…) values ($1, $2, …) …" for many rows. */
function inserted(question: Question<object>, kinds: readonly ColumnKind[], key: readonly number[]): PutLater {
  const rows = together(kinds, (from) =>
    question.sql.replace(
      /values\s*\(([^)]*)\)/,
      (_, values: string) => `select ${values.replaceAll(/\$(\d+)/g, 'q.p$1')} from ${from}`,
    ),
  );
  return { ...rows, ...surely(rows), key };
}

const acknowledged: AskedTogether = {
  ...together(
    [t, n, t, n, n, n, n],
    (rows) => `update message m set state = 'acknowledged', state_at_ms = q.p2, acknowledged_at_ms = q.p2,
        events = events || q.p3, first_listed_at_ms = coalesce(first_listed_at_ms, q.p4),
        first_download_at_ms = coalesce(first_download_at_ms, q.p5),
        last_download_at_ms = coalesce(q.p6, last_download_at_ms), downloads = downloads + q.p7
      from ${rows} where m.message_id = q.p1 and ${oneOf('m.message_id', '$1', '$8', '$9')}`,
  ),
  spans: 0,
};

const taken = together(
  [t, n],
  (rows) => `delete from inbox_entry e using ${rows} where e.mailbox_id = q.p1 and e.position = q.p2`,
);

/**
 * In the order they are put. Whoever asks for one is told at once that it was done; at the end of the batch it is.
 */
export const putLater: ReadonlyMap<string, PutLater> = new Map([
  [messages.insertPayload.name, inserted(messages.insertPayload, [t, n, n, t, n, t, t, t, t, t, n, b], [0])],
  [
    messages.insertMessage.name,
    inserted(messages.insertMessage, [t, t, t, t, t, t, t, t, t, t, n, n, t, t, t, n, n, n, n, n, n, t], [0]),
  ],
  [inbox.insertEntry.name, inserted(inbox.insertEntry, [t, n, t, t, n], [0, 1])],
  [
    messages.recordCollection.name,
    {
      ...together(
        [t, t, n, n, n, n],
        (rows) => `update message m set first_listed_at_ms = coalesce(first_listed_at_ms, q.p3),
            first_download_at_ms = coalesce(first_download_at_ms, q.p4),
            last_download_at_ms = coalesce(q.p5, last_download_at_ms), downloads = downloads + q.p6
          from ${rows} where m.message_id = q.p2 and m.recipient = q.p1 and ${oneOf('m.message_id', '$2', '$7', '$8')}`,
      ),
      spans: 1,
      sure: false,
      key: [1],
    },
  ],
  [messages.acknowledgeMessage.name, { ...acknowledged, ...surely(acknowledged), key: [0] }],
  [inbox.takeEntry.name, { ...taken, ...surely(taken), key: [0, 1] }],
]);
