import { keepRecordsIn } from '../ledger-place.ts';
import { PostgresServer } from './postgres.ts';

/** Around all scenarios of a run: one server, in which each exchange makes a database of its own. */
export default async function start(): Promise<() => Promise<void>> {
  const server = await PostgresServer.start({ settings: { max_connections: '200' } });
  keepRecordsIn(server.url());
  return () => server[Symbol.asyncDispose]();
}
