import { Client } from 'pg';

/** The PostgreSQL that scenarios are run on; left out, each exchange has a file of its own. */
const serverOfScenarios = 'OPENMESH_TEST_POSTGRES';

/** Has the exchanges of tests that are started from here on keep their records in this server. */
export function keepRecordsIn(serverUrl: string): void {
  process.env[serverOfScenarios] = serverUrl;
}

/** Where an exchange of a test keeps its records: the file, or a new database where tests run on PostgreSQL. */
export async function freshLedgerPlace(file: string): Promise<string> {
  const server = process.env[serverOfScenarios];
  return server === undefined ? `sqlite:${file}` : createDatabase(server);
}

/** Makes an empty database of a name nobody else has; resolves to its address. */
export async function createDatabase(serverUrl: string): Promise<string> {
  const name = `test_${process.pid}_${Math.random().toString(36).slice(2)}`;
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(`create database ${name} template template0`);
  } finally {
    await client.end();
  }
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
