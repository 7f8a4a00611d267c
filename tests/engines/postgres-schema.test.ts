import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PostgresConnection } from '@openmesh/exchange/store/sql/postgres/connection.ts';
import { migrate } from '@openmesh/exchange/store/sql/postgres/migrate.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runEngineTool } from '../kit/engines/engine-process.ts';
import { PostgresServer, postgresPrograms } from '../kit/engines/postgres.ts';

// To write the golden schema anew after a migration was added:
//   OPENMESH_WRITE_GOLDEN=yes npm run test:engines -- postgres-schema
const golden = new URL('../../packages/exchange/src/store/sql/golden/postgres.sql', import.meta.url);

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

const open = (url: string) =>
  PostgresConnection.open({ url, role: 'test', connectTimeoutMs: 5000, answerTimeoutMs: 60_000 });

async function migrated(url: string): Promise<void> {
  const connection = await open(url);
  try {
    await migrate(connection);
  } finally {
    await connection.close();
  }
}

/** Without the days, which are those of the calendar, and without what the program that prints it says of itself. */
async function schemaOf(url: string): Promise<string> {
  const args = ['--schema-only', '--no-owner', '--no-privileges', '--exclude-table=*_20??????', url];
  const printed = await runEngineTool(join(postgresPrograms(), 'pg_dump'), args, { cwd: '/tmp' });
  const lines = printed.split('\n').filter((line) => !/^(--|SET |SELECT pg_catalog|\\(un)?restrict )/.test(line));
  return `${lines
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}

it('makes of an empty database exactly the schema that was agreed, however often and from however many nodes at once', async () => {
  const url = await server.createDatabase();
  await Promise.all([migrated(url), migrated(url), migrated(url)]);
  await migrated(url);
  const schema = await schemaOf(url);
  if (process.env.OPENMESH_WRITE_GOLDEN === 'yes') writeFileSync(golden, schema);
  expect(schema).toBe(readFileSync(golden, 'utf8'));
});

it('refuses a ledger that a later version made', async () => {
  const url = await server.createDatabase();
  await migrated(url);
  const connection = await open(url);
  await connection.put({ sql: "insert into schema_migration (number, name) values (9999, 'later')" });
  await connection.close();
  await expect(migrated(url)).rejects.toThrow('the ledger has schema 9999');
});

it('waits for a node that is at it for as long as it takes, and takes as long itself', async () => {
  const url = await server.createDatabase();
  const [other, own] = await Promise.all([open(url), open(url)]);
  try {
    // Of every session these are limits that a large ledger's migration does not keep.
    await own.put({ sql: "set lock_timeout = '100ms'; set statement_timeout = '200ms'" });
    await other.put({ sql: 'select pg_advisory_lock(7161001)' });
    const migrating = migrate(own);
    await other.put({ sql: 'select pg_sleep(0.5)' });
    await other.put({ sql: 'select pg_advisory_unlock(7161001)' });
    await migrating;
    expect(await schemaOf(url)).toBe(readFileSync(golden, 'utf8'));
  } finally {
    await Promise.all([other.close(), own.close()]);
  }
});
