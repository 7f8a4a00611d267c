import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { crashAt, crashPoints } from '../kit/crash-points.ts';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { ExchangeLoad } from '../kit/exchange-load.ts';
import { ExchangeProcess, NotReady } from '../kit/exchange-process.ts';
import { violationsOf } from '../kit/history.ts';
import { oneOf, type Random, seededRandom, seedOfRun, wholeBetween } from '../kit/seeded-random.ts';

const rounds = Number(process.env['OPENMESH_TEST_CRASH_ROUNDS'] ?? 50);
const seed = seedOfRun();
const mailboxes = ['CRASHA', 'CRASHB', 'CRASHC'];
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'openmesh-crash-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** How one life ends: by our hand after a while, or by its own at a point. */
function chooseEnd(random: Random): { readonly afterMs: number; readonly start: ReturnType<typeof crashAt> } {
  const afterMs = wholeBetween(random, 50, 900);
  if (random() < 0.3) return { afterMs, start: { nodeArgs: [], env: {} } };
  // Starting passes some points too: low counts die before the ready line, which must be survived as well.
  return { afterMs: 2000, start: crashAt(oneOf(random, crashPoints), wholeBetween(random, 1, 120)) };
}

async function live(folder: ExchangeFolder, load: ExchangeLoad, random: Random): Promise<'started' | 'died-starting'> {
  const end = chooseEnd(random);
  let server: ExchangeProcess;
  try {
    server = await ExchangeProcess.start({ nodeArgs: end.start.nodeArgs, env: { ...folder.env, ...end.start.env } });
  } catch (error) {
    if (error instanceof NotReady && error.end?.signal === 'SIGKILL') return 'died-starting';
    throw error;
  }
  const stop = new AbortController();
  load.connect((mailbox) => folder.client(server.url, mailbox));
  const working = load.run(stop.signal);
  await Promise.race([server.exited, setTimeout(end.afterMs)]);
  const ended = await server.kill9();
  stop.abort();
  await working;
  // Any other end is the server's own failure, not our doing.
  expect(ended, server.stderr.slice(-4000)).toEqual({ code: null, signal: 'SIGKILL' });
  return 'started';
}

/** A life in which nothing goes wrong: what was begun is ended, and everything is looked at. */
async function judge(folder: ExchangeFolder, load: ExchangeLoad): Promise<void> {
  const server = await ExchangeProcess.start({ env: folder.env });
  try {
    load.connect((mailbox) => folder.client(server.url, mailbox));
    await load.resume();
    await load.observe();
    await load.drain();
    load.disconnect();
  } finally {
    await server.kill9();
  }
  expect(violationsOf(load.history.events)).toEqual([]);
}

describe(`a crash loop (OPENMESH_TEST_SEED=${seed}, ${rounds} rounds)`, () => {
  it(
    'keeps every promise over many deaths at random and at named points',
    async () => {
      const random = seededRandom(seed);
      const folder = new ExchangeFolder(home);
      folder.addMailboxes(mailboxes);
      const load = new ExchangeLoad({
        random,
        mailboxes,
        chunkBytes: [1, 900, 9000, 32_768, 32_769, 150_000],
        chunksMax: 4,
        sendersPerMailbox: 4,
        readersPerMailbox: 2,
      });
      let accepted = 0;
      for (let round = 0; round < rounds; round += 1) {
        await live(folder, load, random);
        await judge(folder, load);
      }
      accepted = load.history.events.filter((each) => each.kind === 'send' && each.outcome === 'accepted').length;
      // Rounds that do nothing prove nothing.
      expect(accepted).toBeGreaterThan(rounds * 5);
    },
    rounds * 30_000,
  );
});
