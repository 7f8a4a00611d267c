import { readdirSync, readFileSync } from 'node:fs';
import { unfitByVersion } from '../../ledger-problem.ts';
import { madeAtKey } from '../commands/jobs.ts';
import type { PostgresConnection } from './connection.ts';
import { addDays } from './days.ts';

const migrationsFolder = new URL('../migrations/postgres/', import.meta.url);

/** Held while the schema is looked at and changed: nodes that start together do it one after the other. */
const schemaLock = 7_161_001;

/**
 * Brings the schema to this version of the product. Migrations are append-only and each runs once, in one transaction
 * with its mark. A ledger of a later version is refused.
 */
export async function migrate(connection: PostgresConnection): Promise<void> {
  const files = readdirSync(migrationsFolder)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  // A large ledger takes its time, and so does waiting for the node that is at it.
  await connection.put({ sql: 'set lock_timeout = 0; set statement_timeout = 0' });
  await connection.put({ sql: 'select pg_advisory_lock($1)', params: [schemaLock] });
  try {
    await connection.put({
      sql: `create table if not exists schema_migration
        (number int primary key, name text not null, at timestamptz not null default now())`,
    });
    const { rows } = await connection.put({ sql: 'select coalesce(max(number), 0) as done from schema_migration' });
    const done = Number(rows[0]?.done);
    if (done > files.length) throw unfitByVersion(done, files.length);
    for (const [index, name] of files.entries()) {
      if (index >= done) await run(connection, index + 1, name);
    }
    if (done === 0) {
      const sql = 'insert into meta (key, value) values ($1, $2) on conflict (key) do nothing';
      await connection.put({ sql, params: [madeAtKey, String(Date.now())] });
    }
    await addDays(connection, Date.now());
  } finally {
    if (!connection.isLost) await connection.put({ sql: 'select pg_advisory_unlock($1)', params: [schemaLock] });
  }
}

async function run(connection: PostgresConnection, number: number, name: string): Promise<void> {
  await connection.put({ sql: 'begin' });
  try {
    await connection.put({ sql: readFileSync(new URL(name, migrationsFolder), 'utf8') });
    await connection.put({
      sql: 'insert into schema_migration (number, name) values ($1, $2)',
      params: [number, name],
    });
    await connection.put({ sql: 'commit' });
  } catch (error) {
    if (!connection.isLost) await connection.put({ sql: 'rollback' });
    throw error;
  }
}
