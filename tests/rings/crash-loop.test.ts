import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CrashTrigger, crashPoints } from '../kit/crash-points.ts';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { ExchangeLoad } from '../kit/exchange-load.ts';
import { ExchangeProcess, NotReady } from '../kit/exchange-process.ts';
import { violationsOf } from '../kit/history.ts';
import { oneOf, seededRandom, seedOfRun, wholeBetween } from '../kit/seeded-random.ts';

const rounds = Number(process.env['OPENMESH_TEST_CRASH_ROUNDS'] ?? 50);
const seed = seedOfRun();
const mailboxes = ['CRASHA', 'CRASHB', 'CRASHC'];
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'openmesh-crash-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** What the load and its server need over many lives. */
class Loop {
  readonly folder = new ExchangeFolder(home);
  readonly trigger = new CrashTrigger(join(home, 'trigger'));
  readonly random = seededRandom(seed);
  readonly load = new ExchangeLoad({
    random: this.random,
    mailboxes,
    chunkBytes: [1, 900, 9000, 32_768, 32_769, 150_000],
    chunksMax: 4,
    sendersPerMailbox: 2,
    readersPerMailbox: 2,
  });

  start(): Promise<ExchangeProcess> {
    const { nodeArgs, env } = this.trigger.start;
    return ExchangeProcess.start({ nodeArgs, env: { ...this.folder.env, ...env } });
  }

  /** A start that dies at one of the points it passes; whatever it had begun must not be in the way of the next. */
  async dieStarting(): Promise<void> {
    this.trigger.arm(oneOf(this.random, crashPoints), wholeBetween(this.random, 1, 3));
    try {
      await (await this.start()).kill9();
    } catch (error) {
      if (!(error instanceof NotReady) || error.end?.signal !== 'SIGKILL') throw error;
    }
    this.trigger.disarm();
  }

  /** What was begun in an earlier life is ended, and everything is looked at. */
  async judge(server: ExchangeProcess): Promise<void> {
    this.load.connect((mailbox) => this.folder.client(server.url, mailbox));
    await this.load.resume();
    await this.load.observe();
    await this.load.drain();
    expect(violationsOf(this.load.history.events)).toEqual([]);
  }

  /** Load until death: by our hand after a while, or by its own at a named point. */
  async workUntilDeath(server: ExchangeProcess): Promise<void> {
    const { random, trigger } = this;
    const byItself = random() < 0.7;
    if (byItself) trigger.arm(oneOf(random, crashPoints), wholeBetween(random, 1, 100));
    const stop = new AbortController();
    const working = this.load.run(stop.signal);
    await Promise.race([server.exited, setTimeout(byItself ? 2000 : wholeBetween(random, 50, 900))]);
    const ended = await server.kill9();
    stop.abort();
    await working;
    this.load.disconnect();
    trigger.disarm();
    // Any other end is the server's own failure, not our doing.
    expect(ended, server.stdout.slice(-4000)).toEqual({ code: null, signal: 'SIGKILL' });
  }
}

describe(`a crash loop (OPENMESH_TEST_SEED=${seed}, ${rounds} rounds)`, () => {
  it(
    'keeps every promise over many deaths at random and at named points',
    async () => {
      const loop = new Loop();
      loop.folder.addMailboxes(mailboxes);
      for (let round = 0; round < rounds; round += 1) {
        if (loop.random() < 0.15) await loop.dieStarting();
        const server = await loop.start();
        await loop.judge(server);
        await loop.workUntilDeath(server);
      }
      const last = await loop.start();
      await loop.judge(last);
      loop.load.disconnect();
      await last.kill9();
      const sends = loop.load.history.events.filter((each) => each.kind === 'send');
      // Rounds that do nothing prove nothing, nor do deaths that interrupt nobody.
      expect(sends.filter((each) => each.outcome === 'accepted').length).toBeGreaterThan(rounds * 5);
      expect(sends.filter((each) => each.outcome === 'unknown').length).toBeGreaterThan(0);
    },
    rounds * 30_000,
  );
});
