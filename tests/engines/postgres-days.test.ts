import type { Ledger } from '@openmesh/exchange/store/ledger.ts';
import {
  acceptOf,
  acknowledgeOf,
  bob,
  bornAtMs,
  dayMs,
  idOf,
  listed,
  newMessage,
  newPayload,
} from '@openmesh/exchange/store/ledger-probe.ts';
import { PostgresConnection } from '@openmesh/exchange/store/sql/postgres/connection.ts';
import { dropDays } from '@openmesh/exchange/store/sql/postgres/days.ts';
import type { MessageId } from '@openmesh/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { PostgresServer } from '../kit/engines/postgres.ts';
import { openNode } from '../kit/engines/postgres-ledgers.ts';

let server: PostgresServer;
let url = '';
let database = '';
let ledger: Ledger;
beforeAll(async () => {
  server = await PostgresServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  url = await server.createDatabase();
  database = url.slice(url.lastIndexOf('/') + 1);
  ledger = await openNode(url);
});
afterEach(() => ledger.close());

/** The parts of the table of messages that hold a row, and how many. */
async function rowsByPart(): Promise<Record<string, number>> {
  const rows = await server.run('select tableoid::regclass, count(*) from message group by 1', database);
  return Object.fromEntries(rows.map((row) => row.split('|')).map(([part, count]) => [part, Number(count)]));
}

const connected = (): Promise<PostgresConnection> =>
  PostgresConnection.open({ url, role: 'backup', connectTimeoutMs: 5000, answerTimeoutMs: 60_000 });

/** As a backup does, until the connection is closed. */
async function readForLong(connection: PostgresConnection): Promise<void> {
  await connection.put({ sql: 'begin isolation level repeatable read read only' });
  await connection.put({ sql: 'select count(*) from message' });
}

/** The id of a message that was made so many days after the first. */
const dayId = (day: number): MessageId => {
  const date = new Date(bornAtMs + day * dayMs).toISOString().slice(0, 10).replaceAll('-', '');
  return `${date}090000000001_A` as MessageId;
};

const send = (n: number, changes: Parameters<typeof newMessage>[1] = {}) =>
  ledger.messages.accept(acceptOf([newMessage(idOf(n), changes)]));

it('has a part ready for yesterday, today and a week ahead as soon as it is opened', async () => {
  const parts = await server.run(
    "select count(*) from pg_inherits where inhparent in ('message'::regclass, 'payload'::regclass, 'event'::regclass)",
    database,
  );
  expect(parts).toEqual([String(3 * (9 + 1))]);
});

it('moves what came before its day’s part into it, and finds it as before', async () => {
  await send(1);
  expect(await rowsByPart()).toEqual({ message_other: 1 });
  await ledger.jobs.upkeep(bornAtMs);
  await send(2);
  expect(await rowsByPart()).toEqual({ message_20260105: 2 });
  expect(await listed(ledger.messages, bob)).toEqual([idOf(1), idOf(2)]);
  expect((await ledger.messages.findWithChunk(idOf(1), 1))?.chunk?.sizeBytes).toBe(3);
  await ledger.messages.acknowledge(acknowledgeOf(idOf(1)));
  expect(await ledger.messages.find(idOf(1))).toMatchObject({ state: 'acknowledged' });
});

it('takes every message while days are added under it', async () => {
  const sent = Array.from({ length: 400 }, (_, n) => send(n));
  const [outcomes] = await Promise.all([Promise.all(sent), ledger.jobs.upkeep(bornAtMs)]);
  expect(outcomes.filter(({ kind }) => kind === 'accepted')).toHaveLength(400);
  expect(await listed(ledger.messages, bob)).toHaveLength(400);
});

it('finds every message, by each way there is to it, while what came early moves to its day', async () => {
  for (let day = 0; day < 24; day += 8) {
    const ids = Array.from({ length: 8 }, (_, n) => dayId(day + n));
    for (const id of ids) await ledger.messages.accept(acceptOf([newMessage(id)]));
    const moving = ledger.jobs.upkeep(bornAtMs + day * dayMs);
    const upkeep = { isDone: false };
    void moving.finally(() => (upkeep.isDone = true));
    do {
      const found = await Promise.all(ids.map((id) => ledger.messages.findWithChunk(id, 1)));
      expect(found.map((each) => each?.chunk?.sizeBytes)).toEqual(ids.map(() => 3));
      expect(await Promise.all(ids.map((id) => ledger.messages.timeline(id)))).toEqual(
        ids.map(() => expect.any(Array)),
      );
    } while (!upkeep.isDone);
    await moving;
  }
  expect(Object.keys(await rowsByPart())).not.toContain('message_other');
});

it('gives way to a backup that reads for long, holds nobody up behind it, and has its turn afterwards', async () => {
  await send(1);
  const backup = await connected();
  try {
    await readForLong(backup);
    const upkeep = expect(ledger.jobs.upkeep(bornAtMs)).rejects.toMatchObject({ kind: 'unavailable' });
    await send(2);
    await upkeep;
    expect(await rowsByPart()).toEqual({ message_other: 2 });
  } finally {
    await backup.close();
  }
  await ledger.jobs.upkeep(bornAtMs);
  expect(await rowsByPart()).toEqual({ message_20260105: 2 });
});

it('is content where only yesterday’s part is held up, for tomorrow’s is there', async () => {
  const yesterdays = "select count(*) from pg_class where relname = 'message_20260104'";
  await ledger.jobs.upkeep(bornAtMs);
  const backup = await connected();
  try {
    for (const table of ['message', 'payload', 'event', 'route_step']) {
      await backup.put({ sql: `drop table ${table}_20260104` });
    }
    await readForLong(backup);
    await ledger.jobs.upkeep(bornAtMs);
    expect(await server.run(yesterdays, database)).toEqual(['0']);
  } finally {
    await backup.close();
  }
  await ledger.jobs.upkeep(bornAtMs);
  expect(await server.run(yesterdays, database)).toEqual(['1']);
});

it('adds a day once where many nodes would, and drops it once', async () => {
  const nodes = await Promise.all(Array.from({ length: 4 }, () => openNode(url)));
  try {
    for (const atMs of [bornAtMs, bornAtMs + 200 * dayMs]) {
      await Promise.all(nodes.map((node) => node.jobs.upkeep(atMs)));
    }
  } finally {
    await Promise.all(nodes.map((node) => node.close()));
  }
  const there = await server.run("select to_regclass('message_20260105'), to_regclass('message_20260724')", database);
  expect(there).toEqual(['|message_20260724']);
});

it('passes over a day that another node drops while it is being looked at', async () => {
  await ledger.jobs.upkeep(bornAtMs);
  const options = { url, role: 'test', connectTimeoutMs: 5000, answerTimeoutMs: 60_000 };
  const [slow, quick] = await Promise.all([PostgresConnection.open(options), PostgresConnection.open(options)]);
  try {
    const nowMs = bornAtMs + 91 * dayMs;
    const put = slow.put.bind(slow);
    slow.put = async (statement) => {
      if (statement.sql.includes('from message_2')) await dropDays(quick, nowMs);
      return put(statement);
    };
    expect(await dropDays(slow, nowMs)).toBe(0);
  } finally {
    await Promise.all([slow.close(), quick.close()]);
  }
});

it('drops a day whole once its records had their time, and not before', async () => {
  await ledger.jobs.upkeep(bornAtMs);
  for (const n of [1, 2, 3]) await send(n);
  for (const n of [1, 2, 3]) await ledger.messages.acknowledge(acknowledgeOf(idOf(n)));
  const lastMs = bornAtMs + 90 * dayMs;
  await ledger.jobs.forgetPayloads([1, 2, 3].map(idOf), lastMs);
  await ledger.jobs.hideRecords({ nowMs: lastMs, limit: 10 });
  // One by one would be the slow way: what lies in a day's part waits for it.
  expect(await ledger.jobs.removeRecords({ nowMs: lastMs, limit: 10 })).toBe(0);
  await ledger.jobs.upkeep(lastMs);
  expect(await ledger.messages.find(idOf(1))).toBeNull();
  expect(await server.run("select to_regclass('message_20260105'), to_regclass('payload_20260105')", database)).toEqual(
    ['|'],
  );
});

it('keeps beyond its day what is to be kept longer: a message put back, and a payload that a later message points to', async () => {
  await ledger.jobs.upkeep(bornAtMs);
  const later = '20260301090000000001_A' as MessageId;
  const farMs = bornAtMs + 300 * dayMs;
  const payload = newPayload(idOf(1), { keepUntilMs: farMs });
  await ledger.messages.accept(acceptOf([newMessage(idOf(1))], { payload }));
  await send(2, { hideAtMs: farMs, removeAtMs: farMs });
  const others = Array.from({ length: 40 }, (_, n) => 10 + n);
  for (const n of others) await send(n);
  const resent = newMessage(later, { payloadId: idOf(1), hideAtMs: farMs, removeAtMs: farMs });
  await ledger.messages.accept(acceptOf([resent], { payload: null }));
  const nowMs = bornAtMs + 91 * dayMs;
  await ledger.jobs.forgetPayloads(others.map(idOf), nowMs);
  await ledger.jobs.hideRecords({ nowMs, limit: 100 });
  await ledger.jobs.upkeep(nowMs);
  const ids = [idOf(1), idOf(2), idOf(10), later];
  const found = await Promise.all(ids.map((id) => ledger.messages.findWithChunk(id, 1)));
  expect(found.map((each) => each?.message.messageId ?? null)).toEqual([null, idOf(2), null, later]);
  expect(found.map((each) => each?.chunk?.sizeBytes ?? null)).toEqual([null, 3, null, 3]);
  expect(await ledger.messages.timeline(idOf(2))).toHaveLength(1);
  expect(await rowsByPart()).toEqual({ message_other: 2 });
  // What was kept goes by itself, in the ordinary way.
  const endMs = farMs + dayMs;
  await ledger.jobs.hideRecords({ nowMs: endMs, limit: 10 });
  expect(await ledger.jobs.removeRecords({ nowMs: endMs, limit: 10 })).toBe(2);
});

it('drops a day without reading through the messages of other days, however many there are', async () => {
  await ledger.jobs.upkeep(bornAtMs);
  for (const n of [1, 2]) await send(n);
  await ledger.jobs.upkeep(bornAtMs + 89 * dayMs);
  // Of a day that is never looked at by itself: one that is yet to come.
  const [other, today] = [dayId(92), dayId(92).slice(0, 8)];
  await ledger.messages.accept(acceptOf(Array.from({ length: 200 }, (_, n) => newMessage(otherId(other, n)))));
  const made = { as: 'resend', from: idOf(1), origin: idOf(1) } as const;
  const resent = newMessage(other, { payloadId: idOf(1), routing: { addressedTo: null, made, steps: [] } });
  await ledger.messages.accept(acceptOf([resent], { payload: null }));
  await ledger.jobs.forgetPayloads([1, 2].map(idOf), bornAtMs + 91 * dayMs);
  await ledger.jobs.hideRecords({ nowMs: bornAtMs + 91 * dayMs, limit: 10 });
  const before = await rowsRead(today);
  await ledger.jobs.upkeep(bornAtMs + 91 * dayMs);
  expect((await rowsRead(today)) - before).toBeLessThan(20);
  expect(await server.run("select to_regclass('message_20260105')", database)).toEqual([]);
  // What it tells of the payload of the one that is gone: its bytes are deleted, and how many chunks there were.
  expect(await ledger.messages.find(other)).toMatchObject({ payloadDeleted: true, totalChunks: 1 });
});

const otherId = (id: MessageId, n: number): MessageId =>
  `${id.slice(0, 8)}1${String(n).padStart(11, '0')}_B` as MessageId;

/** Rows of a day's messages that whoever has ended by now has read. */
async function rowsRead(day: string): Promise<number> {
  const upkeep = "select count(*) from pg_stat_activity where application_name = 'openmesh upkeep'";
  await expect.poll(() => server.run(upkeep, database)).toEqual(['0']);
  const [sum] = await server.run(
    `select seq_tup_read + idx_tup_fetch from pg_stat_user_tables where relname = 'message_${day}'`,
    database,
  );
  return Number(sum);
}

it('leaves a day alone as long as much of it is to be kept', async () => {
  await ledger.jobs.upkeep(bornAtMs);
  await send(1);
  await send(2, { removeAtMs: bornAtMs + 300 * dayMs });
  await ledger.jobs.upkeep(bornAtMs + dayMs);
  await ledger.jobs.hideRecords({ nowMs: bornAtMs + 91 * dayMs, limit: 10 });
  await ledger.jobs.upkeep(bornAtMs + 91 * dayMs);
  expect(await rowsByPart()).toEqual({ message_20260105: 2 });
});

it('keeps yesterday’s part, though nothing lies in it', async () => {
  await ledger.jobs.upkeep(bornAtMs);
  expect(await server.run("select to_regclass('message_20260104')", database)).toEqual(['message_20260104']);
});

it('leaves where it is what came before its day’s part, when that is more than a start may wait for', async () => {
  await server.run(
    `insert into message (message_id, message_type, sender, recipient, workflow_id, state, status_code, status_event,
        status_description, compressed, encrypted, sealed, created_at_ms, state_at_ms, hide_at_ms, remove_at_ms, events)
      select '20260105' || lpad(n::text, 12, '0') || '_B', 'DATA', 'ALICE', 'BOB', 'W', 'acknowledged', '00', 'TRANSFER', '',
        0, 0, '', ${bornAtMs}, ${bornAtMs}, ${bornAtMs + 30 * dayMs}, ${bornAtMs + 90 * dayMs}, ''
      from generate_series(1, 50001) n`,
    database,
  );
  await ledger.jobs.upkeep(bornAtMs);
  await send(1);
  expect(await rowsByPart()).toEqual({ message_other: 50_002 });
  expect(await server.run("select to_regclass('message_20260106')", database)).toEqual(['message_20260106']);
});
