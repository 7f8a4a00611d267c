import { describeLedger } from '@openmesh/exchange/store/ledger.contract.ts';
import { openPostgresLedger } from '@openmesh/exchange/store/sql/postgres/ledger.ts';
import { afterAll, beforeAll } from 'vitest';
import { PostgresServer } from '../kit/engines/postgres.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

describeLedger('PostgreSQL', async () => {
  const url = await server.createDatabase();
  const open = () => openPostgresLedger({ url, profile: 'live', queueMax: 10_000 });
  let ledger = await open();
  return {
    get ledger() {
      return ledger;
    },
    async reopen() {
      await ledger.close();
      ledger = await open();
      return ledger;
    },
    end: () => ledger.close(),
  };
});
