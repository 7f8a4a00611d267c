import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Balancer } from '../kit/engines/balancer.ts';
import { PostgresServer } from '../kit/engines/postgres.ts';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { ExchangeLoad } from '../kit/exchange-load.ts';
import { ExchangeProcess } from '../kit/exchange-process.ts';
import { freePort } from '../kit/free-port.ts';
import { violationsOf } from '../kit/history.ts';
import { buildPreviousVersion, type PreviousVersion } from '../kit/previous-version.ts';
import { seededRandom, seedOfRun } from '../kit/seeded-random.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/temporary-folder.ts';

const seed = seedOfRun();
const mailboxes = ['ROLLA', 'ROLLB', 'ROLLC'];
const bothRunMs = 3000;

let previous: PreviousVersion;
let database: PostgresServer;
let home: TemporaryFolder;
let nodes: ExchangeProcess[] = [];
beforeAll(async () => {
  previous = await buildPreviousVersion();
  database = await PostgresServer.start({ durable: true });
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await previous[Symbol.asyncDispose]();
});
beforeEach(async () => {
  home = await temporaryFolder('rolling-upgrade');
});
afterEach(async () => {
  for (const node of nodes) await node.kill9();
  nodes = [];
  await home.remove();
});

describe(`an upgrade of one node after the other (OPENMESH_TEST_SEED=${seed})`, () => {
  it('fails no request at the load balancer, with both versions on one ledger, and keeps every promise', async () => {
    const folder = new ExchangeFolder(home.path);
    const env = { ...folder.env, OPENMESH_LEDGER: await database.createDatabase() };
    const ports = [await freePort(), await freePort()];
    const start = async (port: number, program?: string): Promise<ExchangeProcess> => {
      const options = { env: { ...env, OPENMESH_MACHINES_PORT: String(port) } };
      const node = await ExchangeProcess.start(program === undefined ? options : { ...options, program });
      nodes.push(node);
      return node;
    };
    const old: ExchangeProcess[] = [];
    for (const port of ports) old.push(await start(port, previous.program));
    folder.addMailboxes(mailboxes, env);
    await using balancer = await Balancer.start(ports);
    const load = new ExchangeLoad({
      random: seededRandom(seed),
      mailboxes,
      chunkBytes: [1, 900, 9000, 32_768, 32_769, 150_000],
      chunksMax: 3,
      sendersPerMailbox: 2,
      readersPerMailbox: 2,
    });
    load.connect((mailbox) => folder.client(`http://127.0.0.1:${balancer.port}`, mailbox));
    const stop = new AbortController();
    const working = load.run(stop.signal);
    await setTimeout(bothRunMs);
    for (const [at, port] of ports.entries()) {
      expect(await old[at]?.stop(), old[at]?.stdout.slice(-4000)).toEqual({ code: 0, signal: null });
      await start(port);
      // One node of each version at first, then two of this one.
      await setTimeout(bothRunMs);
    }
    stop.abort();
    await working;
    const failures = [...load.statuses()].filter(([status]) => status === 0 || status >= 500);
    expect(failures).toEqual([]);
    await load.resume();
    await load.observe();
    await load.drain();
    expect(violationsOf(load.history.events)).toEqual([]);
    const accepted = load.history.events.filter((event) => event.kind === 'send' && event.outcome === 'accepted');
    expect(accepted.length).toBeGreaterThan(100);
    load.disconnect();
  });
});
