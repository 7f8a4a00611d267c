import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Applications } from '../kit/client-applications.ts';
import { ClientFolder } from '../kit/client-folder.ts';
import { ClientProcess } from '../kit/client-process.ts';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { ExchangeProcess } from '../kit/exchange-process.ts';
import { freePort } from '../kit/free-port.ts';
import { oneOf, type Random, seededRandom, seedOfRun, wholeBetween } from '../kit/seeded-random.ts';

const pairs = Number(process.env['OPENMESH_TEST_JOURNEY_PAIRS'] ?? 1000);
const seed = seedOfRun();
const [a, b] = ['TRAVELA', 'TRAVELB'] as const;
const killedTimesMin = 10;
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'openmesh-journey-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Two clients and the exchange between them, each of which is killed and started again. */
class Party {
  readonly folders: Readonly<Record<string, ClientFolder>>;
  killed = 0;
  readonly #env: Readonly<Record<string, string>>;
  readonly #clients: Record<string, ClientProcess> = {};
  #exchange: ExchangeProcess | undefined;

  constructor(port: number) {
    const exchange = new ExchangeFolder(join(home, 'exchange'));
    exchange.addMailboxes([a, b]);
    this.#env = { ...exchange.env, OPENMESH_MACHINES_PORT: String(port) };
    const folder = (id: string): ClientFolder =>
      new ClientFolder(join(home, id), {
        url: `http://127.0.0.1:${port}`,
        mailboxes: [id],
        password: 'kit-password',
        settings: { ChunkMegabytes: '1', StatusSeconds: '3600' },
      });
    this.folders = { [a]: folder(a), [b]: folder(b) };
  }

  folderOf = (id: string): ClientFolder => {
    const folder = this.folders[id];
    if (folder === undefined) throw new Error(`${id} takes no part`);
    return folder;
  };

  async startAll(): Promise<void> {
    await this.#startExchange();
    for (const id of [a, b]) this.#startClient(id);
  }

  async killOne(random: Random): Promise<void> {
    this.killed += 1;
    const victim = oneOf(random, ['exchange', a, b]);
    if (victim === 'exchange') {
      await this.#exchange?.kill9();
      await setTimeout(wholeBetween(random, 0, 800));
      await this.#startExchange();
    } else {
      await this.#clients[victim]?.kill9();
      this.#startClient(victim);
    }
  }

  async stopAll(): Promise<void> {
    for (const id of [a, b]) expect(await this.#clients[id]?.stop()).toBe(0);
    await this.#exchange?.kill9();
  }

  async #startExchange(): Promise<void> {
    this.#exchange = await ExchangeProcess.start({ env: this.#env });
  }

  #startClient(id: string): void {
    this.#clients[id] = ClientProcess.start({ configFile: this.folderOf(id).configFile });
  }
}

describe(`two folder clients and an exchange, killed at random (OPENMESH_TEST_SEED=${seed})`, () => {
  it(
    `exchange ${pairs} pairs of mixed sizes: every file arrives once, every sender gets its SENT or its report`,
    async () => {
      const random = seededRandom(seed);
      const party = new Party(await freePort());
      const applications = new Applications(party.folderOf, [a, b]);
      await party.startAll();
      const until = Date.now() + 10 * 60_000;
      while ((applications.dropped < pairs || !applications.isDone) && Date.now() < until) {
        for (let some = wholeBetween(random, 10, 60); some > 0 && applications.dropped < pairs; some -= 1) {
          const [from, to] = random() < 0.5 ? [a, b] : [b, a];
          const size =
            random() < 0.03 ? wholeBetween(random, 1_000_000, 5_000_000) : oneOf(random, [0, 300, 5000, 100_000]);
          const fields = { Compress: oneOf(random, ['Y', 'N']), AllowChunking: 'Y' };
          applications.drop(from, random() < 0.02 ? undefined : to, Buffer.alloc(size, size), fields);
        }
        await setTimeout(wholeBetween(random, 300, 2500));
        applications.harvest();
        if (applications.dropped < pairs || random() < 0.3) await party.killOne(random);
      }
      // One more poll after the last death, so that what would come twice can come.
      await setTimeout(3000);
      await party.stopAll();
      applications.harvest();
      expect(applications.violations()).toEqual([]);
      if (pairs >= 1000) expect(party.killed).toBeGreaterThan(killedTimesMin);
    },
    12 * 60_000,
  );
});
