import { LedgerProblem } from '../../ledger-problem.ts';
import { LedgerCopyProblem } from '../../ledger-snapshot.ts';
import type { SqlValue } from '../question.ts';
import type { TableWriter, UsedToken } from '../table-copy.ts';
import { PostgresConnection } from './connection.ts';
import { addDaysOf, partedBy } from './days.ts';
import { toParam } from './dialect.ts';
import { ConnectionLost } from './faults.ts';
import { migrate } from './migrate.ts';
import { putMovedTokens } from './moved-tokens.ts';

const limits = { connectTimeoutMs: 5000, answerTimeoutMs: 10 * 60_000 } as const;
/** The protocol's own limit is 65,535. */
const paramsMax = 60_000;
/** Rows that a new ledger has by itself, and that the copy brings. */
const madeAtBirth = ['registry_version', 'meta'];

/** An empty ledger being filled in one transaction. */
export interface FillingPostgres extends TableWriter {
  /** Tokens that are to be refused here too. */
  writeUsedTokens(tokens: readonly UsedToken[]): Promise<void>;
  setMeta(key: string, value: string): Promise<void>;
  /** Ends the transaction: only now is anything there. */
  commit(): Promise<void>;
  close(): Promise<void>;
}

/** Makes the schema and begins to fill it. Throws `LedgerCopyProblem` where there are messages or mailboxes already. */
export async function fillPostgres(url: string): Promise<FillingPostgres> {
  const connection = await PostgresConnection.open({ url, role: 'migrate-store', ...limits }).catch((error) => {
    if (error instanceof ConnectionLost) throw new LedgerProblem('unreachable', error);
    throw error;
  });
  try {
    await migrate(connection);
    for (const name of ['statement_timeout', 'idle_in_transaction_session_timeout']) {
      await connection.put({ sql: `set ${name} = 0` });
    }
    await connection.put({ sql: 'begin' });
    const { rows } = await connection.put({
      sql: 'select exists (select from mailbox) or exists (select from message) as filled',
    });
    if (String(rows[0]?.['filled']).startsWith('t')) {
      throw new LedgerCopyProblem('the database holds a ledger with mailboxes or messages already: make a new one');
    }
    for (const table of madeAtBirth) await connection.put({ sql: `delete from ${table}` });
  } catch (error) {
    await connection.close();
    throw error;
  }
  return {
    columns: (table) => columnsOf(connection, table),
    async write(table, columns, rows) {
      const key = columns.indexOf(partedBy(table) ?? '');
      // A day's rows lie in the day's part, or it could never be dropped.
      if (key >= 0) await addDaysOf(connection, new Set(rows.map((row) => String(row[key]))));
      await insert(connection, table, columns, rows);
    },
    writeUsedTokens: (tokens) => putMovedTokens(connection, tokens),
    async setMeta(key, value) {
      await connection.put({
        sql: 'insert into meta (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value',
        params: [key, value],
      });
    },
    async commit() {
      // Numbers that the engine gives by itself go on where the copied ones end.
      await connection.put({
        sql: `select setval(pg_get_serial_sequence('directory_alert', 'alert_no'), max(alert_no)) from directory_alert`,
      });
      await connection.put({ sql: 'commit' });
      await connection.put({ sql: 'analyze' });
    },
    close: () => connection.close(),
  };
}

async function columnsOf(connection: PostgresConnection, table: string): Promise<readonly string[]> {
  const { rows } = await connection.put({
    sql: `select column_name as name from information_schema.columns
          where table_schema = 'public' and table_name = $1 and is_generated = 'NEVER'`,
    params: [table],
  });
  return rows.map((row) => String(row['name']));
}

async function insert(
  connection: PostgresConnection,
  table: string,
  columns: readonly string[],
  rows: readonly (readonly SqlValue[])[],
): Promise<void> {
  const together = Math.max(1, Math.floor(paramsMax / columns.length));
  for (let at = 0; at < rows.length; at += together) {
    const some = rows.slice(at, at + together);
    const places = some.map((_, n) => `(${columns.map((_column, m) => `$${n * columns.length + m + 1}`).join(', ')})`);
    const names = columns.map((column) => `"${column}"`).join(', ');
    await connection.put({
      sql: `insert into "${table}" (${names}) overriding system value values ${places.join(', ')}`,
      params: some.flat().map(toParam),
    });
  }
}
