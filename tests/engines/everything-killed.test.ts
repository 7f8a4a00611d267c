import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Balancer } from '../kit/engines/balancer.ts';
import { CephStore } from '../kit/engines/ceph.ts';
import { PostgresCluster } from '../kit/engines/postgres-cluster.ts';
import { s3Environment } from '../kit/engines/s3-environment.ts';
import { bucketOf, type TestBucket } from '../kit/engines/test-bucket.ts';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { ExchangeLoad } from '../kit/exchange-load.ts';
import { ExchangeProcess } from '../kit/exchange-process.ts';
import { freePort } from '../kit/free-port.ts';
import { violationsOf } from '../kit/history.ts';
import { seededRandom, seedOfRun } from '../kit/seeded-random.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/temporary-folder.ts';

const seed = seedOfRun();
/** Of an engine that is back, until everything is as it was. */
const patienceMs = 60_000;
const mailboxes = ['KILLA', 'KILLB', 'KILLC'];
const calmMs = 3000;
const deadMs = 1500;
const lookEveryMs = 20;
/** Of the whole, which is over a minute on a quick machine. */
const timeout = 10 * 60_000;

let cluster: PostgresCluster;
let ceph: CephStore;
let bucket: TestBucket;
let home: TemporaryFolder;
beforeAll(async () => {
  home = await temporaryFolder('everything-killed');
  [cluster, ceph] = await Promise.all([PostgresCluster.start(), CephStore.start()]);
  bucket = await bucketOf(ceph);
});
afterAll(async () => {
  bucket.close();
  await Promise.all([cluster[Symbol.asyncDispose](), ceph[Symbol.asyncDispose]()]);
  await home.remove();
});

/** The exchange's nodes; each can be killed and started again on its port. */
class Nodes {
  readonly #env: Readonly<Record<string, string>>;
  readonly #ports: readonly number[];
  readonly #running: ExchangeProcess[] = [];

  constructor(env: Readonly<Record<string, string>>, ports: readonly number[]) {
    this.#env = env;
    this.#ports = ports;
  }

  async start(at: number): Promise<void> {
    const env = { ...this.#env, OPENMESH_MACHINES_PORT: String(this.#ports[at]) };
    // A node that finds its ledger away ends at once, and is started again, as a service manager would.
    for (let attempt = 0; ; attempt += 1) {
      try {
        this.#running[at] = await ExchangeProcess.start({ env });
        return;
      } catch (error) {
        if (attempt >= 30) throw error;
        await setTimeout(1000);
      }
    }
  }

  async kill(at: number): Promise<void> {
    await this.#running[at]?.kill9();
  }

  async killAll(): Promise<void> {
    await Promise.all(this.#ports.map((_, at) => this.kill(at)));
  }
}

/** Watches for how long at a stretch no request of the load was answered as wished. */
class Gap {
  longestMs = 0;
  readonly #successes: () => number;
  readonly #timer: NodeJS.Timeout;
  #seen = 0;
  #sinceMs = performance.now();

  constructor(load: ExchangeLoad) {
    this.#successes = () => sum([...load.statuses()].filter(([status]) => status >= 200 && status < 300));
    this.#timer = setInterval(() => this.#look(), lookEveryMs);
  }

  /** The longest stretch since it was asked last, in milliseconds. */
  take(): number {
    this.#look();
    const taken = Math.round(this.longestMs);
    this.longestMs = 0;
    return taken;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const nowMs = performance.now();
    this.longestMs = Math.max(this.longestMs, nowMs - this.#sinceMs);
    const successes = this.#successes();
    if (successes === this.#seen) return;
    this.#seen = successes;
    this.#sinceMs = nowMs;
  }
}

function sum(counts: readonly (readonly [number, number])[]): number {
  return counts.reduce((total, [, count]) => total + count, 0);
}

describe(`nodes, database and object store killed under load (OPENMESH_TEST_SEED=${seed})`, { timeout }, () => {
  it('loses nothing that was acknowledged, whatever is killed, one at a time and all together', async () => {
    await cluster.run('create database openmesh');
    const folder = new ExchangeFolder(home.path);
    const env = { ...folder.env, OPENMESH_LEDGER: cluster.url('openmesh'), ...s3Environment(ceph, bucket.name) };
    const ports = [await freePort(), await freePort()];
    const nodes = new Nodes(env, ports);
    folder.addMailboxes(mailboxes, env);
    await Promise.all([nodes.start(0), nodes.start(1)]);
    await using balancer = await Balancer.start(ports);
    const load = new ExchangeLoad({
      random: seededRandom(seed),
      mailboxes,
      chunkBytes: [1, 900, 9000, 32_768, 32_769, 150_000],
      chunksMax: 3,
      sendersPerMailbox: 2,
      readersPerMailbox: 2,
      patienceMs,
    });
    const steps: Readonly<Record<string, () => Promise<unknown>>> = {
      'a node': async () => {
        await nodes.kill(0);
        await setTimeout(deadMs);
        await nodes.start(0);
      },
      "the leader's PostgreSQL": () => cluster.killLeader('postgres').then(() => cluster.whole()),
      'the gateway of the store': async () => {
        await ceph.killGateway();
        await setTimeout(deadMs);
        await ceph.resume();
      },
      "the store's daemon": async () => {
        await ceph.killStore();
        await setTimeout(deadMs);
        await ceph.resume();
      },
      "the leader's machine": async () => {
        const name = await cluster.killLeader('machine');
        await setTimeout(deadMs);
        await cluster.revive(name);
        await cluster.whole();
      },
      'all of them together': async () => {
        const [name] = await Promise.all([cluster.killLeader('machine'), nodes.kill(0), nodes.kill(1), ceph.kill()]);
        await setTimeout(deadMs);
        await Promise.all([cluster.revive(name), ceph.resume()]);
        await Promise.all([cluster.whole(), nodes.start(0), nodes.start(1)]);
      },
    };
    try {
      load.connect((mailbox) => folder.client(`http://127.0.0.1:${balancer.port}`, mailbox));
      const stop = new AbortController();
      const working = load.run(stop.signal);
      const gap = new Gap(load);
      await setTimeout(calmMs);
      const gaps: Record<string, number> = { nothing: gap.take() };
      for (const [what, kill] of Object.entries(steps)) {
        await kill();
        await setTimeout(calmMs);
        gaps[what] = gap.take();
      }
      stop.abort();
      await working;
      gap.stop();
      process.stdout.write(`longest time without an answer, in ms, by what was killed: ${JSON.stringify(gaps)}\n`);
      await load.resume();
      await load.observe();
      await load.drain();
      expect(violationsOf(load.history.events)).toEqual([]);
      const accepted = load.history.events.filter((event) => event.kind === 'send' && event.outcome === 'accepted');
      expect(accepted.length).toBeGreaterThan(200);
      load.disconnect();
    } finally {
      await nodes.killAll();
    }
  });
});
