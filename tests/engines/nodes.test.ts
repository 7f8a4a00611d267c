import { refusedFingerprint } from '@openmesh/exchange/store/ledger/messages.ts';
import { ClockApart } from '@openmesh/exchange/store/ledger.ts';
import {
  acceptOf,
  acknowledgeOf,
  alice,
  bob,
  bornAtMs,
  dayMs,
  idOf,
  listed,
  newMessage,
} from '@openmesh/exchange/store/ledger-probe.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresServer } from '../kit/engines/postgres.ts';
import { openNode } from '../kit/engines/postgres-ledgers.ts';
import { listedIdsOf, sentIdOf } from '../kit/mesh-client.ts';
import { ExchangeInProcess } from '../kit/running-exchange.ts';
import { usualMailboxes } from '../kit/seeded-registry.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

describe('two nodes of one ledger', () => {
  let one: ExchangeInProcess;
  let two: ExchangeInProcess;
  beforeAll(async () => {
    const ledger = { OPENMESH_LEDGER: await server.createDatabase(), OPENMESH_CHUNK_BYTES_MAX: '100000' };
    one = await ExchangeInProcess.start({ tls: 'off', settings: ledger });
    const shared = { ...ledger, OPENMESH_BODIES: `file:${one.bodiesFolder}` };
    two = await ExchangeInProcess.start({ tls: 'off', settings: shared });
  });
  afterAll(async () => {
    await two.stop();
    await one.stop();
  });

  const to = { to: 'X26ABC2', workflowId: 'WF' };

  it.each(['x', 'x'.repeat(90_000)])('hand out at one what was sent to the other, small and large', async (body) => {
    const id = sentIdOf(await one.client('X26ABC1').send(to, body));
    const reader = two.client('X26ABC2');
    expect(listedIdsOf(await reader.list())).toContain(id);
    const download = await reader.download(id);
    expect([download.status, download.body.toString()]).toEqual([200, body]);
    expect((await reader.acknowledge(id)).status).toBe(200);
    expect(listedIdsOf(await one.client('X26ABC2').list())).not.toContain(id);
    expect((await one.client('X26ABC1').track(id)).body.toString()).toContain('acknowledged');
  });

  it('take the chunks of one message in any order, each at any node', async () => {
    const id = sentIdOf(await one.client('X26ABC1').send({ ...to, chunkRange: '1:4' }, 'first.'));
    const nodes = [two, one, two];
    for (const [at, chunk] of [4, 2, 3].entries()) {
      const sender = nodes[at]?.client('X26ABC1');
      const sent = await sender?.request('POST', `/outbox/${id}/${chunk}`, {
        headers: { 'Mex-Chunk-Range': `${chunk}:4` },
        body: `chunk ${chunk}.`,
      });
      expect([chunk, sent?.status]).toEqual([chunk, 202]);
    }
    const bodies = await Promise.all(
      [1, 2, 3, 4].map(async (chunk) => (await one.client('X26ABC2').downloadChunk(id, chunk)).body.toString()),
    );
    expect(bodies).toEqual(['first.', 'chunk 2.', 'chunk 3.', 'chunk 4.']);
    await one.client('X26ABC2').acknowledge(id);
  });

  it('refuse at one a token that was used at the other', async () => {
    const authorization = one.client('X26ABC2').authorization();
    expect((await one.client('X26ABC2').list({}, { authorization })).status).toBe(200);
    expect((await two.client('X26ABC2').list({}, { authorization })).status).toBe(403);
  });

  it('refuse a used token as long as it is good at either, though the clock of one is minutes ahead', async () => {
    const minuteMs = 60_000;
    one.clock.set(5 * minuteMs);
    try {
      const authorization = two.client('X26ABC2').authorization();
      expect((await two.client('X26ABC2').count({ authorization })).status).toBe(200);
      for (const { clock } of [one, two]) clock.advance(118 * minuteMs);
      // The clock of the other says that the token is too old, and that all about it may be forgotten.
      await one.rooms.clockwork.runAll();
      expect((await two.client('X26ABC2').count({ authorization })).status).toBe(403);
      const [refusal] = await two.refusals({ mailbox: 'X26ABC2' });
      expect(refusal?.reason).toBe('nonce-used');
    } finally {
      one.clock.set(-5 * minuteMs);
    }
  });

  it('let one of two requests with the same token through, wherever both arrive at once', async () => {
    for (let round = 0; round < 20; round += 1) {
      const authorization = one.client('X26ABC2').authorization();
      const answers = await Promise.all(
        [one, two].map(async (node) => (await node.client('X26ABC2').count({ authorization })).status),
      );
      expect(answers.toSorted((a, b) => a - b)).toEqual([200, 403]);
    }
  });

  it('decide the next message on a change of the registry, whichever node it was made at', async () => {
    const [, abc2, ...others] = usualMailboxes;
    for (const [changed, sending] of [
      [one, two],
      [two, one],
    ] as const) {
      await changed.change({ mailboxes: [{ ...abc2, id: 'X26ABC2', state: 'disabled' }, ...others] });
      const refused = await sending.client('X26ABC1').send(to, 'x');
      await changed.change({ mailboxes: [{ ...abc2, id: 'X26ABC2', state: 'active' }, ...others] });
      const accepted = await sending.client('X26ABC1').send(to, 'x');
      expect([refused.status, accepted.status]).toEqual([417, 202]);
    }
  });

  it('show the order of a mailbox alike, though both write to it at once', async () => {
    const before = listedIdsOf(await one.client('X26ABC2').list()).length;
    const sends = Array.from({ length: 60 }, (_, n) => (n % 2 === 0 ? one : two).client('X26ABC1').send(to, `${n}`));
    const ids = (await Promise.all(sends)).map(sentIdOf);
    const [first, second] = await Promise.all(
      [one, two].map(async (node) => listedIdsOf(await node.client('X26ABC2').list())),
    );
    expect(first).toEqual(second);
    expect(new Set(first?.slice(before))).toEqual(new Set(ids));
  });
});

it('lends a job to one of many nodes that ask at once', async () => {
  const url = await server.createDatabase();
  const nodes = await Promise.all(Array.from({ length: 4 }, () => openNode(url)));
  const taken = await Promise.all(
    nodes.map(({ jobs }, n) => jobs.lease({ name: 'expiry', holder: `node ${n}`, nowMs: 100, untilMs: 200 })),
  );
  expect(taken.filter(Boolean)).toHaveLength(1);
  await Promise.all(nodes.map((node) => node.close()));
});

it.each([40 * dayMs, -dayMs / 24])(
  'lends no job to a node whose clock is %i ms from the database’s',
  async (wrongByMs) => {
    let byMs = wrongByMs;
    const { promise: isCompared, resolve: onRegistryHint } = Promise.withResolvers<void>();
    const hostClock = (): number => Date.now() + byMs;
    const node = await openNode(await server.createDatabase(), { onRegistryHint, hostClock });
    await isCompared;
    const lease = (): Promise<boolean> =>
      node.jobs.lease({ name: 'retention', holder: 'node', nowMs: bornAtMs, untilMs: bornAtMs + 1000 });
    await expect(lease()).rejects.toBeInstanceOf(ClockApart);
    byMs = 0;
    await expect.poll(() => lease().catch(() => false)).toBe(true);
    await node.close();
  },
);

it('gives the audit one chain, whichever nodes append to it at once', async () => {
  const url = await server.createDatabase();
  const [first, second] = await Promise.all([openNode(url), openNode(url)]);
  const entry = { atMs: 1, actor: 'a', action: 'b', subject: alice, detail: '{}' };
  const append = (n: number): Promise<unknown> => (n % 2 === 0 ? first : second).audit.append({ ...entry, atMs: n });
  await Promise.all(Array.from({ length: 40 }, (_, n) => append(n)));
  const entries = await first.audit.read({ fromEntryNo: 1, limit: 100 });
  expect(entries.map(({ entryNo }) => entryNo)).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
  await Promise.all([first.close(), second.close()]);
});

it('tells the other nodes of a new registry as it is made', async () => {
  const url = await server.createDatabase();
  const hints: number[] = [];
  const listening = await openNode(url, { onRegistryHint: () => void hints.push(hints.length) });
  // The first is given when it begins to listen.
  await expect.poll(() => hints.length).toBe(1);
  const changing = await openNode(url);
  const audit = { atMs: bornAtMs, actor: 'a', action: 'b', subject: 'c', detail: '{}' };
  const certificate = { fingerprint: 'f', serial: 's', subject: 'c', mailboxId: null, revokedAtMs: null };
  await changing.registry.change({ certificates: [certificate], audit });
  await expect.poll(() => hints.length).toBe(2);
  await Promise.all([listening.close(), changing.close()]);
});

it.each(['first used', 'freed by a refusal'])(
  'makes one message of two sends under one key, %s, whichever nodes they reach at once',
  async (how) => {
    const url = await server.createDatabase();
    const nodes = await Promise.all([openNode(url), openNode(url)]);
    for (let round = 0; round < 40; round += 1) {
      const claim = { mailbox: alice, key: `key-${round}`, fingerprint: 'f', expiresAtMs: bornAtMs * 2 };
      if (how === 'freed by a refusal') {
        const refused = newMessage(idOf(1000 + round), { state: 'error', recipient: null, expiresAtMs: null });
        const idempotency = { ...claim, fingerprint: refusedFingerprint('other') };
        await nodes[0].messages.accept(acceptOf([refused], { payload: null, idempotency }));
      }
      const ids = [idOf(2 * round), idOf(2 * round + 1)];
      const sends = nodes.map(({ messages }, at) =>
        messages.accept(acceptOf([newMessage(ids[at] ?? idOf(0))], { idempotency: claim })),
      );
      const kinds = (await Promise.all(sends)).map(({ kind }) => kind);
      expect(kinds.toSorted()).toEqual(['accepted', 'repeated']);
    }
    expect(await listed(nodes[0].messages, bob)).toHaveLength(40);
    await Promise.all(nodes.map((node) => node.close()));
  },
);

it('never wait for each other, though one notes what was collected of the messages that the other acknowledges', async () => {
  const url = await server.createDatabase();
  const nodes = await Promise.all([openNode(url), openNode(url)]);
  const [noting, acknowledging] = nodes;
  const together = 8;
  for (let round = 0; round < 40; round += 1) {
    const ids = Array.from({ length: together }, (_, n) => idOf(round * together + n));
    for (const id of ids) await noting.messages.accept(acceptOf([newMessage(id)]));
    const noted = {
      mailbox: bob,
      firstListedAtMs: bornAtMs,
      firstDownloadAtMs: null,
      lastDownloadAtMs: null,
      downloads: 0,
    };
    // The last first: whichever order they were noted in.
    const facts = ids.toReversed().map((messageId) => ({ messageId, ...noted }));
    const sent = newMessage(idOf(10_000 + round));
    await Promise.all([
      noting.messages.accept(acceptOf([sent])),
      noting.messages.recordCollections(facts),
      ...ids.map((id) => acknowledging.messages.acknowledge(acknowledgeOf(id))),
    ]);
    const found = await Promise.all(ids.map((id) => noting.messages.find(id)));
    expect(found).toMatchObject(ids.map(() => ({ state: 'acknowledged', firstListedAtMs: bornAtMs })));
  }
  await Promise.all(nodes.map((node) => node.close()));
  const database = url.slice(url.lastIndexOf('/') + 1);
  const open = `select count(*) from pg_stat_activity where datname = '${database}' and application_name like 'openmesh%'`;
  await expect.poll(() => server.run(open)).toEqual(['0']);
  expect(await server.run(`select deadlocks from pg_stat_database where datname = '${database}'`)).toEqual(['0']);
});
