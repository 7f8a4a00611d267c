import { env } from 'node:process';
import type { Ledger } from '@openmesh/exchange/store/ledger.ts';
import {
  acceptOf,
  bornAtMs,
  dayMs,
  durableChunk,
  idOf,
  newMessage,
  newPayload,
} from '@openmesh/exchange/store/ledger-probe.ts';
import type { LedgerSnapshot } from '@openmesh/exchange/store/ledger-snapshot.ts';
import { snapshotPostgres } from '@openmesh/exchange/store/sql/postgres/snapshot.ts';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { PostgresServer } from '../kit/engines/postgres.ts';
import { openNode } from '../kit/engines/postgres-ledgers.ts';

let server: PostgresServer;
let url = '';
let ledger: Ledger;
let snapshot: LedgerSnapshot;
beforeAll(async () => {
  server = await PostgresServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  url = await server.createDatabase();
  ledger = await openNode(url);
  await ledger.jobs.upkeep(bornAtMs);
  for (let n = 0; n < 30; n += 1) {
    const isKept = n === 0;
    const keepUntilMs = bornAtMs + (isKept ? 300 : 30) * dayMs;
    const payload = newPayload(idOf(n), { keepUntilMs, chunk: durableChunk(`body-${n}`) });
    await ledger.messages.accept(acceptOf([newMessage(idOf(n))], { payload }));
  }
  await ledger.jobs.hideRecords({ nowMs: overMs, limit: 100 });
  await ledger.jobs.forgetPayloads(
    Array.from({ length: 29 }, (_, n) => idOf(n + 1)),
    overMs,
  );
  // Room for these days is made before, so that only dropping is left to do.
  await ledger.jobs.upkeep(overMs - 2 * dayMs);
  snapshot = await snapshotPostgres(url, env);
});
afterEach(async () => {
  await snapshot.close();
  await ledger.close();
});

/** The records of the first day had their time. */
const overMs = bornAtMs + 91 * dayMs;

async function named(): Promise<readonly string[]> {
  const refs: string[] = [];
  for await (const body of snapshot.bodies()) refs.push(body.ref);
  return refs;
}

async function imageBytes(): Promise<number> {
  let bytes = 0;
  for await (const piece of snapshot.pieces()) bytes += piece.length;
  return bytes;
}

/** As any node does it every ten minutes; where a copy stands in the way it is done another time. */
const dropOldDays = (): Promise<void> => ledger.jobs.upkeep(overMs).catch(() => undefined);

it('names every body of its moment, though the day of one is dropped before they are asked for', async () => {
  await dropOldDays();
  expect(await named()).toEqual(['body-0']);
});

it('makes an image though a day is dropped right after its moment, and names what the image names', async () => {
  const [bytes] = await Promise.all([imageBytes(), dropOldDays()]);
  expect(bytes).toBeGreaterThan(0);
  await dropOldDays();
  expect(await named()).toEqual(['body-0']);
});

it('lets days be dropped once it is closed', async () => {
  await dropOldDays();
  await snapshot.close();
  await ledger.jobs.upkeep(overMs);
  expect(await server.run("select to_regclass('message_20260105')", url.slice(url.lastIndexOf('/') + 1))).toEqual([]);
});
