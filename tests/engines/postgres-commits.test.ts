import { channel } from 'node:diagnostics_channel';
import { setTimeout as pause } from 'node:timers/promises';
import type { Ledger } from '@openmesh/exchange/store/ledger.ts';
import {
  acceptOf,
  acknowledgeOf,
  bob,
  deliver,
  idOf,
  listed,
  newMessage,
  nonceOf,
} from '@openmesh/exchange/store/ledger-probe.ts';
import { PostgresConnection } from '@openmesh/exchange/store/sql/postgres/connection.ts';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { PostgresServer } from '../kit/engines/postgres.ts';
import { openNode } from '../kit/engines/postgres-ledgers.ts';
import { startTcpProxy, type TcpProxy } from '../kit/tcp-proxy.ts';

const beforeCommit = channel('openmesh:before-commit');
/** Longer than anything here takes: an answer that is under way when the connection is cut never arrives. */
const answersLateMs = 3000;

let server: PostgresServer;
let proxy: TcpProxy;
let database: string;
let ledger: Ledger;
let answersLate: boolean;
beforeAll(async () => {
  server = await PostgresServer.start({ durable: true });
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  const url = new URL(await server.createDatabase());
  database = url.pathname.slice(1);
  answersLate = false;
  proxy = await startTcpProxy({
    target: { host: '127.0.0.1', port: server.port },
    faults: () => (answersLate ? [{ kind: 'delay', direction: 'to-client', delayMs: answersLateMs }] : []),
  });
  url.port = String(proxy.port);
  ledger = await openNode(url.href);
});
afterEach(async () => {
  await ledger.close();
  await proxy.close();
});

/** Does something once, at the moment before the next commit is sent. */
function atNextCommit(act: () => void): void {
  const once = (): void => {
    beforeCommit.unsubscribe(once);
    act();
  };
  beforeCommit.subscribe(once);
}

async function until(sql: string, wanted: string): Promise<void> {
  while ((await server.run(sql, database))[0] !== wanted) await pause(10);
}

/** Has the commands' connections made anew, through a proxy whose answers come late. */
async function withLateAnswers(): Promise<void> {
  answersLate = true;
  proxy.cutAll();
  while ((await ledger.nonces.claim(nonceOf('probe:1')).catch(() => undefined)) === undefined) await pause(50);
}

const commands = (n: number) => [
  ledger.messages.accept(acceptOf([newMessage(idOf(n))], { nonce: nonceOf(`send-${n}:1`) })),
  ledger.messages.acknowledge(acknowledgeOf(idOf(1), { nonce: nonceOf('acknowledge:1', { mailbox: bob }) })),
];

it('answers what was committed though the answer was lost, and nothing of it is done twice', async () => {
  await deliver(ledger.messages, 1);
  await withLateAnswers();
  atNextCommit(() => {
    answersLate = false;
    void until(`select count(*) from message where message_id = '${idOf(2)}'`, '1').then(() => proxy.cutAll());
  });
  expect(await Promise.all(commands(2))).toEqual([{ kind: 'accepted' }, { kind: 'acknowledged' }]);
  expect(await listed(ledger.messages, bob)).toEqual([idOf(2)]);
  expect(await ledger.messages.waitingCount(bob)).toBe(1);
  expect(await ledger.messages.timeline(idOf(1))).toHaveLength(2);
});

it('goes on inquiring when an inquiry was ended, as one is that waits for long', async () => {
  await withLateAnswers();
  const other = await PostgresConnection.open({
    url: server.url(database),
    role: 'test',
    connectTimeoutMs: 5000,
    answerTimeoutMs: 60_000,
  });
  const inquiry = `select pid from pg_stat_activity where wait_event_type = 'Lock' and query like '%commit_receipt%'`;
  const standInTheWay = async (): Promise<void> => {
    await until(`select count(*) from message where message_id = '${idOf(2)}'`, '1');
    await other.put({ sql: 'begin; lock table commit_receipt in exclusive mode' });
    proxy.cutAll();
    await until(`select count(*) from (${inquiry}) waiting`, '1');
    // The next inquiry follows at once, so that there is no moment to look for at which none waits.
    while (!server.log.includes('canceling statement due to user request')) {
      await server.run(`select pg_cancel_backend(pid) from (${inquiry}) waiting`, database);
      await pause(10);
    }
    await other.close();
  };
  let stood: Promise<void> | undefined;
  atNextCommit(() => {
    answersLate = false;
    stood = standInTheWay();
  });
  const accepted = ledger.messages.accept(acceptOf([newMessage(idOf(2))], { nonce: nonceOf('send:1') }));
  expect(await accepted).toEqual({ kind: 'accepted' });
  await stood;
});

it('says of what was never committed that it left no trace, and the same may be asked again with the same token', async () => {
  await deliver(ledger.messages, 1);
  atNextCommit(() => proxy.cutAll());
  const lost = await Promise.allSettled(commands(2));
  expect(lost).toMatchObject(lost.map(() => ({ status: 'rejected', reason: { kind: 'unavailable' } })));
  expect(await ledger.messages.find(idOf(2))).toBeNull();
  expect(await Promise.all(commands(2))).toEqual([{ kind: 'accepted' }, { kind: 'acknowledged' }]);
});

it('tells truly what became of a commit that the server was killed in', async () => {
  for (let n = 2; n < 12; n += 1) {
    atNextCommit(() => void server.kill());
    const answer = await resumed(
      ledger.messages.accept(acceptOf([newMessage(idOf(n))], { nonce: nonceOf(`n${n}:1`) })),
    );
    const isThere = (await onceBack(() => ledger.messages.find(idOf(n)))) !== null;
    expect([n, answer]).toEqual([n, isThere ? 'accepted' : 'unavailable']);
  }
});

/** Starts the server again and waits for what is asked; its kind, of an answer or of a fault. */
async function resumed(asked: Promise<{ readonly kind: string }>): Promise<string> {
  const settled = asked.then(
    ({ kind }) => kind,
    (fault: { readonly kind: string }) => fault.kind,
  );
  await server.killed();
  await server.resume();
  return settled;
}

async function onceBack<R>(ask: () => Promise<R>): Promise<R> {
  for (;;) {
    try {
      return await ask();
    } catch {
      await pause(20);
    }
  }
}

it('gives up what waits while the server is away, at once, and goes on by itself when it is back', async () => {
  await server.kill();
  const asked = Promise.allSettled([
    deliver(ledger.messages, 1),
    ledger.messages.find(idOf(1)),
    ledger.jobs.clockOffset(),
  ]);
  expect(await asked).toMatchObject(Array.from({ length: 3 }, () => ({ reason: { kind: 'unavailable' } })));
  await server.resume();
  expect(await onceBack(() => deliver(ledger.messages, 1))).toBe(idOf(1));
});
