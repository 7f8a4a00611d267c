import { describeLedger } from '@openmesh/exchange/store/ledger.contract.ts';
import { afterAll, beforeAll, expect, it } from 'vitest';
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

it.each([
  ['full', '53100'],
  ['unavailable', '57014'],
  ['defect', 'P0001'],
])('lets go of every connection when it cannot be opened because it is %s', async (kind, sqlState) => {
  const url = await server.createDatabase();
  const database = url.slice(url.lastIndexOf('/') + 1);
  await (await openNode(url)).close();
  await server.run(
    `create function refuse() returns trigger language plpgsql as
      $$ begin raise exception 'no room' using errcode = '${sqlState}'; end $$;
      create trigger refuse before insert on commit_receipt execute function refuse()`,
    database,
  );
  await expect(openNode(url)).rejects.toMatchObject({ kind });
  const open = `select count(*) from pg_stat_activity where datname = '${database}'`;
  await expect.poll(() => server.run(open)).toEqual(['0']);
});
