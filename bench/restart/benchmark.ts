import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { PostgresServer } from '../../tests/kit/engines/postgres.ts';
import { makeCredentials } from '../certificates.ts';
import { type NumberFlags, readFlags, UsageError } from '../flags.ts';
import { mailboxesOf, mailboxPairs, sharedKey } from '../mailboxes.ts';
import { type ExchangeOptions, provision, startExchange } from '../server-under-test.ts';
import { median, rounded } from '../statistics.ts';
import { withWorkDirectory } from '../work-directory.ts';
import { bytesPerMessage, loadPostgres } from './load-postgres.ts';

export const restartFlags = {
  thousands: { default: 10_000, min: 1, max: 12_000, help: 'messages in the ledger, in thousands' },
  mailboxes: { default: 22_000, min: 2, max: 100_000, help: 'mailboxes that the messages are spread over' },
  rounds: { default: 3, min: 1, max: 20, help: 'times a node is killed and started again' },
} as const satisfies NumberFlags;

export const restartSummary = 'a node is killed and started again, on a PostgreSQL that holds many messages';

const dayMs = 86_400_000;
const aliveMs = 1000;
const headroomBytes = 5e9;

/** Times a node from its start until it says it is ready, on a ledger loaded in bulk. */
export async function runRestart(args: readonly string[]): Promise<object> {
  const flags = readFlags(args, restartFlags);
  const messages = flags.thousands * 1000;
  const { bavail, bsize } = statfsSync(tmpdir());
  const neededBytes = messages * bytesPerMessage + headroomBytes;
  if (bavail * bsize < neededBytes)
    throw new UsageError(`${messages} messages need ${Math.ceil(neededBytes / 1e9)} GB free in ${tmpdir()}.`);
  return withWorkDirectory(async (directory) => {
    const { files } = await makeCredentials(directory);
    await using database = await PostgresServer.start({ settings: { max_wal_size: '4GB', shared_buffers: '512MB' } });
    const ledger = await database.createDatabase();
    const options = {
      directory,
      credentials: files,
      sharedKey,
      settings: { OPENMESH_LEDGER: ledger, OPENMESH_LEDGER_UNSAFE_SERVER: 'warn' },
    };
    await provision(options, mailboxesOf(mailboxPairs(1)));
    // The first start makes the parts of the tables for the days around today.
    await (await startExchange(options)).stop();
    const dayStartMs = Math.floor(Date.now() / dayMs) * dayMs - dayMs;
    const name = new URL(ledger).pathname.slice(1);
    const load = { messages, mailboxes: flags.mailboxes, dayStartMs };
    await loadPostgres(database, name, load, (loaded) => console.error(`${loaded} of ${messages} loaded`));
    const [size] = await database.run(`select pg_database_size('${name}')`);
    const readyMs = await restarts(options, flags.rounds);
    return {
      flags,
      databaseGB: rounded(Number(size) / 1e9, 1),
      readyMs: readyMs.map((ms) => rounded(ms, 0)),
      medianMs: rounded(median(readyMs), 0),
      maxMs: rounded(Math.max(...readyMs), 0),
    };
  });
}

async function restarts(options: ExchangeOptions, rounds: number): Promise<readonly number[]> {
  const readyMs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const server = await startExchange(options);
    await sleep(aliveMs);
    process.kill(server.pid, 'SIGKILL');
    await server.stop();
    const startedMs = performance.now();
    const again = await startExchange(options);
    readyMs.push(performance.now() - startedMs);
    await again.stop();
    console.error(`ready ${rounded(readyMs.at(-1) ?? Number.NaN, 0)} ms after its start`);
  }
  return readyMs;
}
