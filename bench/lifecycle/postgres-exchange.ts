import { mkdirSync } from 'node:fs';
import { PostgresServer } from '../../tests/kit/engines/postgres.ts';
import { type ExchangeOptions, provision, type RunningServer, startExchange } from '../server-under-test.ts';
import type { Caller } from '../token.ts';
import { withServer } from '../with-server.ts';

/**
 * An exchange whose records lie in a PostgreSQL of its own, which flushes as in production, on this machine. `work` gets
 * its nodes; the first of them can be measured by itself while the others wait.
 */
export async function withPostgresExchange<Result>(
  options: ExchangeOptions,
  nodes: number,
  mailboxes: readonly Caller[],
  work: (nodes: readonly RunningServer[]) => Promise<Result>,
): Promise<Result> {
  mkdirSync(options.directory);
  const settings = { shared_buffers: '512MB', max_wal_size: '4GB' };
  await using database = await PostgresServer.start({ durable: true, settings });
  const beside = { ...options, settings: { ...options.settings, OPENMESH_LEDGER: await database.createDatabase() } };
  await provision(beside, mailboxes);
  const startNext = (started: readonly RunningServer[]): Promise<Result> =>
    started.length === nodes
      ? work(started)
      : withServer(startExchange(beside), (server) =>
          startNext([...started, { ...server, databasePid: database.pid }]),
        );
  return await startNext([]);
}
