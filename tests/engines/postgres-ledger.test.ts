import { describeLedger } from '@openmesh/exchange/store/ledger.contract.ts';
import { afterAll, beforeAll } from 'vitest';
import { PostgresServer } from '../kit/engines/postgres.ts';
import { openNode } from '../kit/engines/postgres-ledgers.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

describeLedger('PostgreSQL', async () => {
  const url = await server.createDatabase();
  let ledger = await openNode(url);
  return {
    get ledger() {
      return ledger;
    },
    async reopen() {
      await ledger.close();
      ledger = await openNode(url);
      return ledger;
    },
    end: () => ledger.close(),
  };
});
