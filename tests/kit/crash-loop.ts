import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { type CrashPoint, CrashTrigger, crashPoints } from './crash-points.ts';
import { ExchangeFolder } from './exchange-folder.ts';
import { ExchangeLoad } from './exchange-load.ts';
import { ExchangeProcess, NotReady } from './exchange-process.ts';
import { violationsOf } from './history.ts';
import { oneOf, seededRandom, wholeBetween } from './seeded-random.ts';

/** Where a server dies: when it passes the point for the `count`th time. */
export interface Death {
  readonly point: CrashPoint;
  readonly count: number;
}

export interface CrashLoopOptions {
  /** An empty folder for its files. */
  readonly home: string;
  readonly seed: number;
  /** Where the records are kept; in the folder when absent. */
  readonly ledger?: string;
}

const mailboxes = ['CRASHA', 'CRASHB', 'CRASHC'];

/** A load of sends and reads, and the many lives of the server that has to bear it. */
export class CrashLoop {
  readonly random: () => number;
  readonly load: ExchangeLoad;
  readonly #folder: ExchangeFolder;
  readonly #trigger: CrashTrigger;

  constructor({ home, seed, ledger }: CrashLoopOptions) {
    this.random = seededRandom(seed);
    this.#folder = new ExchangeFolder(home, undefined, ledger);
    this.#trigger = new CrashTrigger(join(home, 'trigger'));
    this.#folder.addMailboxes(mailboxes);
    this.load = new ExchangeLoad({
      random: this.random,
      mailboxes,
      chunkBytes: [1, 900, 9000, 32_768, 32_769, 150_000],
      chunksMax: 4,
      sendersPerMailbox: 2,
      readersPerMailbox: 2,
    });
  }

  anyPoint(countMax: number): Death {
    return { point: oneOf(this.random, crashPoints), count: wholeBetween(this.random, 1, countMax) };
  }

  start(): Promise<ExchangeProcess> {
    const { nodeArgs, env } = this.#trigger.start;
    return ExchangeProcess.start({ nodeArgs, env: { ...this.#folder.env, ...env } });
  }

  /** A start that dies at a point if it passes it; whatever it had begun must not be in the way of the next. */
  async dieStarting({ point, count }: Death): Promise<void> {
    this.#trigger.arm(point, count);
    try {
      await (await this.start()).kill9();
    } catch (error) {
      if (!(error instanceof NotReady) || error.end?.signal !== 'SIGKILL') throw error;
    }
    this.#trigger.disarm();
  }

  /** What was begun in an earlier life is ended, and everything is looked at. */
  async judge(server: ExchangeProcess): Promise<void> {
    this.load.connect((mailbox) => this.#folder.client(server.url, mailbox));
    await this.load.resume();
    await this.load.observe();
    await this.load.drain();
    expect(violationsOf(this.load.history.events)).toEqual([]);
  }

  /**
   * Load until death: at the point, or by our hand after a while, which for a point is `patienceMs`. Resolves to whether
   * the server died by itself.
   */
  async workUntilDeath(server: ExchangeProcess, death: Death | undefined, patienceMs = 2000): Promise<boolean> {
    if (death !== undefined) this.#trigger.arm(death.point, death.count);
    const stop = new AbortController();
    const working = this.load.run(stop.signal);
    const lifeMs = death === undefined ? wholeBetween(this.random, 50, 900) : patienceMs;
    await Promise.race([server.exited, setTimeout(lifeMs, undefined, { ref: false })]);
    const byItself = !server.running;
    const ended = await server.kill9();
    stop.abort();
    await working;
    this.load.disconnect();
    this.#trigger.disarm();
    // Any other end is the server's own failure, not our doing.
    expect(ended, server.stdout.slice(-4000)).toEqual({ code: null, signal: 'SIGKILL' });
    return byItself;
  }
}
