import type { Ledger } from '@openmesh/exchange/store/ledger.ts';
import { acceptOf, bornAtMs, dayMs, idOf, newMessage, newPayload } from '@openmesh/exchange/store/ledger-probe.ts';
import type { MessageId } from '@openmesh/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { PostgresServer } from '../kit/engines/postgres.ts';
import { openNode } from '../kit/engines/postgres-ledgers.ts';

let server: PostgresServer;
let database = '';
let ledger: Ledger;
beforeAll(async () => {
  server = await PostgresServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  const url = await server.createDatabase();
  database = url.slice(url.lastIndexOf('/') + 1);
  ledger = await openNode(url);
});
afterEach(() => ledger.close());

const resentAtMs = bornAtMs + 30 * dayMs;
const resentDay = new Date(resentAtMs).toISOString().slice(0, 10).replaceAll('-', '');
const resentId = `${resentDay}090000000001_A` as MessageId;

const kept = () => server.run('select payload_id from payload_other order by 1', database);

it('drops what it kept of a payload beyond its day once the bytes are deleted and no message points to it', async () => {
  await ledger.jobs.upkeep(bornAtMs);
  const farMs = bornAtMs + 121 * dayMs;
  const payload = newPayload(idOf(1), { keepUntilMs: farMs });
  await ledger.messages.accept(acceptOf([newMessage(idOf(1))], { payload }));
  await ledger.messages.accept(acceptOf([newMessage(idOf(2))]));
  await ledger.jobs.upkeep(resentAtMs);
  const made = { as: 'resend', from: idOf(1), origin: idOf(1) } as const;
  const routing = { addressedTo: null, made, steps: [] };
  const resent = newMessage(resentId, { payloadId: idOf(1), routing, hideAtMs: farMs, removeAtMs: farMs });
  await ledger.messages.accept(acceptOf([resent], { payload: null }));
  const nowMs = bornAtMs + 91 * dayMs;
  await ledger.jobs.hideRecords({ nowMs, limit: 10 });
  // Their day is over, and the bytes of neither are deleted.
  await ledger.jobs.upkeep(nowMs);
  expect(await kept()).toEqual([idOf(1), idOf(2)]);
  await ledger.jobs.forgetPayloads([idOf(2)], nowMs);
  await ledger.jobs.upkeep(nowMs);
  expect(await kept()).toEqual([idOf(1)]);
  await ledger.jobs.forgetPayloads([idOf(1)], farMs);
  await ledger.jobs.upkeep(farMs);
  expect(await kept()).toEqual([idOf(1)]);
  expect(await ledger.messages.find(resentId)).toMatchObject({ payloadDeleted: true, totalChunks: 1 });
  await ledger.jobs.hideRecords({ nowMs: farMs, limit: 10 });
  await ledger.jobs.upkeep(farMs);
  expect(await ledger.messages.find(resentId)).toBeNull();
  expect(await kept()).toEqual([]);
});
