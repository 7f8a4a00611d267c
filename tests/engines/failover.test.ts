import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresCluster } from '../kit/engines/postgres-cluster.ts';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { ExchangeLoad } from '../kit/exchange-load.ts';
import { ExchangeProcess } from '../kit/exchange-process.ts';
import { violationsOf } from '../kit/history.ts';
import { createDatabase } from '../kit/ledger-place.ts';
import type { MeshClient } from '../kit/mesh-client.ts';
import { seededRandom, seedOfRun } from '../kit/seeded-random.ts';

const seed = seedOfRun();
/** Of an engine that is back, until everything is as it was. */
const patienceMs = 60_000;
const mailboxes = ['FAILA', 'FAILB', 'FAILC'];
/** Of load before and after each death. */
const workMs = 1500;
/** Until a cluster has another leader and nodes have found it: some ten times what it takes. */
const backMs = 120_000;

let home: string;
let cluster: PostgresCluster;
let folder: ExchangeFolder;
let nodes: ExchangeProcess[] = [];
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'openmesh-failover-'));
  cluster = await PostgresCluster.start();
  folder = new ExchangeFolder(home, undefined, await createDatabase(cluster.url()));
  folder.addMailboxes(mailboxes);
  nodes = [await start(), await start()];
});
afterAll(async () => {
  await Promise.all(nodes.map((each) => each.kill9()));
  await cluster[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

const start = (): Promise<ExchangeProcess> => ExchangeProcess.start({ env: folder.env });

function node(at: number): ExchangeProcess {
  const found = nodes[at % nodes.length];
  if (found === undefined) throw new Error('there is no node');
  return found;
}

/** A figure for whoever reads the run. */
const tell = (line: string): void => void process.stderr.write(`${line}\n`);

/** Each mailbox keeps to one node, as clients of a load balancer do. */
const clientOf = (mailbox: string): MeshClient => folder.client(node(mailboxes.indexOf(mailbox)).url, mailbox);

describe(`the death of a primary and of a node under load (OPENMESH_TEST_SEED=${seed})`, () => {
  const load = new ExchangeLoad({
    random: seededRandom(seed),
    mailboxes,
    chunkBytes: [1, 900, 9000, 40_000],
    chunksMax: 4,
    sendersPerMailbox: 2,
    readersPerMailbox: 2,
    patienceMs,
  });

  const judge = async (): Promise<void> => {
    load.connect(clientOf);
    await load.resume();
    await load.observe();
    await load.drain();
    expect(violationsOf(load.history.events)).toEqual([]);
  };

  const accepted = (): number =>
    load.history.events.filter((event) => event.kind === 'send' && event.outcome === 'accepted').length;

  /** Load while something dies, and on until messages are accepted again; resolves to the gap in milliseconds. */
  const workThrough = async (die: () => Promise<unknown>): Promise<number> => {
    load.connect(clientOf);
    const stop = new AbortController();
    const working = load.run(stop.signal);
    await setTimeout(workMs);
    await die();
    const diedAtMs = performance.now();
    const before = accepted();
    // In flight at the death a few may still be answered: more than all of them show that new ones are.
    const goesOn = expect.poll(accepted, { timeout: backMs, interval: 10 });
    await goesOn.toBeGreaterThanOrEqual(before + 4 * mailboxes.length);
    const gapMs = performance.now() - diedAtMs;
    await setTimeout(workMs);
    stop.abort();
    await working;
    return gapMs;
  };

  it('loses nothing that was accepted when the primary is killed, twice, and goes on by itself', async () => {
    for (let round = 0; round < 2; round += 1) {
      let dead = '';
      const gapMs = await workThrough(async () => {
        dead = await cluster.killLeader('machine');
      });
      tell(`primary killed: accepted again after ${Math.round(gapMs)} ms; ${accepted()} accepted so far`);
      await cluster.revive(dead);
      await cluster.whole();
      await judge();
    }
    expect(nodes.every(({ running }) => running)).toBe(true);
  });

  it('loses nothing when a node is killed in the middle of its requests, and another goes on', async () => {
    const dying = node(0);
    const gapMs = await workThrough(async () => {
      await dying.kill9();
      nodes = [node(1)];
      load.connect(clientOf);
    });
    tell(`node killed: accepted again after ${Math.round(gapMs)} ms`);
    await judge();
    nodes = [node(0), await start()];
  });

  it('loses nothing when a node and the primary are killed together', async () => {
    const dying = node(0);
    let dead = '';
    await workThrough(async () => {
      [, dead] = await Promise.all([dying.kill9(), cluster.killLeader('machine')]);
      nodes = [node(1)];
      load.connect(clientOf);
    });
    await cluster.revive(dead);
    await cluster.whole();
    await judge();
  });

  it('answers 503 with a time to wait while the ledger is away, keeps its health, and is ready again by itself', async () => {
    const client = folder.client(node(0).url, 'FAILA');
    // Shut out, for another leader may stand before the node gives up to connect: then nobody is told anything.
    await Promise.all([cluster.shutOut(), cluster.killLeader('postgres')]);
    const away = await client.send({ to: 'FAILB', workflowId: 'WF' }, 'x');
    expect(away.status).toBe(503);
    expect(Number(away.headers['retry-after'])).toBeGreaterThan(0);
    expect((await client.requestAt('GET', '/health', { authorization: null })).status).toBe(200);
    cluster.letIn();
    const send = async (): Promise<number> => (await client.send({ to: 'FAILB', workflowId: 'WF' }, 'x')).status;
    await expect.poll(send, { timeout: backMs }).toBe(202);
    client.close();
  });
});
