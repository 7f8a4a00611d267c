import { PostgresConnection } from '@openmesh/exchange/store/sql/postgres/connection.ts';
import { addDaysOf } from '@openmesh/exchange/store/sql/postgres/days.ts';
import { migrate } from '@openmesh/exchange/store/sql/postgres/migrate.ts';

const limits = { connectTimeoutMs: 5000, answerTimeoutMs: 120_000 } as const;
/** Days of January 2026 that have messages. */
const days = [5, 6, 7, 8, 9, 10] as const;
const messagesADay = 2000;
const mailboxes = 300;

/** The id of a message of a filled ledger: the nth of a day. */
export function filledId(day: number, n: number): string {
  return `202601${String(day).padStart(2, '0')}090000${String(n).padStart(6, '0')}_A`;
}

/**
 * Fills an empty database as a ledger in use is filled: days of messages most of which were collected, a payload for
 * each, some chunks, events and routing steps, tokens, refusals, an audit; then has the server count its rows. Resolves
 * to a connection as the exchange's own are.
 */
export async function openFilledLedger(url: string): Promise<PostgresConnection> {
  const connection = await PostgresConnection.open({ url, role: 'test', ...limits });
  await migrate(connection);
  await addDaysOf(
    connection,
    days.map((day) => filledId(day, 0)),
  );
  for (const sql of fill) await connection.put({ sql });
  const { rows } = await connection.put({
    sql: "select oid::regclass::text as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and pg_relation_size(oid) > 0",
  });
  for (const { name } of rows) await connection.put({ sql: `vacuum analyze ${String(name)}` });
  return connection;
}

const bornAtMs = Date.UTC(2026, 0, days[0], 9);
const dayMs = 86_400_000;
const many = days.length * messagesADay;

const fill = [
  `create temporary table made as select i, i % ${mailboxes} as box, ${bornAtMs} + (i / ${messagesADay}) * ${dayMs}::bigint as at,
      '202601' || lpad((${days[0]} + i / ${messagesADay})::text, 2, '0') || '090000' || lpad((i % ${messagesADay})::text, 6, '0')
        || '_A' as id
    from generate_series(0, ${many - 1}) i`,
  `insert into mailbox select 'BOX' || i, 'name', 'O' || i, 'O' || i, 'name', '', 'active', null, '', 1
    from generate_series(0, ${mailboxes - 1}) i`,
  `insert into payload (payload_id, total_chunks, stored_chunks, size_bytes, content_encoding, keep_until_ms, deleted_at_ms,
      sha256, block_digests, body_ref, stored_at_ms, inline_body)
    select id, 1, 1, 4, '', at + 35 * ${dayMs}::bigint, case when i % 3 = 0 then at end, md5(id), '',
      case when i % 10 = 0 then 'ref-' || id end, at, case when i % 10 > 0 then '\\x01020304'::bytea end from made`,
  `insert into message (message_id, state, recipient, position, sender, payload_id, workflow_id, message_type, created_at_ms,
      accepted_at_ms, expires_at_ms, state_at_ms, hide_at_ms, hidden, remove_at_ms, status_code, status_event,
      status_description, compressed, encrypted, linked_message_id, local_key, sealed, events, addressed_to, origin_id)
    select id, case when i % 500 = 0 then 'uploading' when i % 500 = 1 then 'routing' when i % 5 = 0 then 'accepted'
        else 'acknowledged' end, 'BOX' || box, i / ${mailboxes} + 1, 'BOX' || (box * 7 % ${mailboxes}), id, 'WF', 'DATA', at,
      at, at + 5 * ${dayMs}, at, at + 30 * ${dayMs}::bigint, i % 2, at + 90 * ${dayMs}::bigint, '00', '', '', 0, 0,
      case when i % 50 = 0 then id end, case when i % 2 = 0 then 'local-' || i end, '', '',
      case when i % 20 = 0 then 'BOX1' end, case when i % 20 = 0 then id end from made`,
  "insert into event select id, n, at, '', 'noted', '' from made, generate_series(1, 2) n where i % 3 = 0",
  `insert into route_step select id, 1, at, 'copied', 'rule', 1, '', 'BOX1', 'BOX2', '', null from made where i % 10 = 0`,
  `insert into chunk select id, n, 4, md5(id), '', 'ref-' || id || n, null, at from made, generate_series(1, 3) n
    where i % 10 = 0`,
  `insert into inbox_entry select 'BOX' || box, i / ${mailboxes} + 1, id, 'WF', at + 5 * ${dayMs} from made where i % 5 = 0`,
  `insert into inbox_counter select 'BOX' || i, 8, 1000 from generate_series(0, ${mailboxes - 1}) i`,
  `insert into nonce select 'BOX' || box, 'nonce-' || i, at, at + 14400000 from made`,
  `insert into idempotency select 'BOX' || box, 'key-' || i, md5(id), id, at + 30 * ${dayMs}::bigint from made`,
  `insert into refusal select 'refusal-' || i, at + i, 'token', '', 'BOX' || box, 'send', 403, '10.0.0.' || (i % 250),
      lpad((i % 400)::text, 4, '0'), null, 1 from made`,
  "insert into audit select i + 1, at, 'actor', 'action', 'subject', '{}', md5(i::text) from made",
  `insert into organisation (ods_code, name, active, record_class, primary_role, roles, address, telephone)
    select 'O' || i, 'name', 1, '', '', '[]', '', '' from generate_series(0, 4999) i`,
  `insert into organisation_link select 'O' || i, 'relationship', 'RE4', 'O' || (i + 1), '2020-01-01', null, 1
    from generate_series(0, 4999) i`,
  `insert into directory_alert (at_ms, ods_code, kind, detail, announced_at_ms)
    select ${bornAtMs}, 'O' || (i % 1000), 'closed', '{}', case when i % 100 > 0 then 1 end from generate_series(0, 4999) i`,
  `insert into registration select 'WF' || w, 'responder', 'BOX' || i, 0, null, null
    from generate_series(0, ${mailboxes - 1}) i, generate_series(0, 20) w`,
  `insert into group_membership select 'G' || w, 'responder', 'BOX' || i, null, 0, null
    from generate_series(0, ${mailboxes - 1}) i, generate_series(0, 20) w`,
  'insert into commit_receipt (receipt) select gen_random_uuid() from made',
];
