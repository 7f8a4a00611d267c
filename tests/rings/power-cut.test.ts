import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CrashTrigger, crashPoints } from '../kit/crash-points.ts';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { ExchangeLoad } from '../kit/exchange-load.ts';
import { ExchangeProcess, NotReady } from '../kit/exchange-process.ts';
import { buildFlushShim, type FlushShim } from '../kit/flush-shim/build.ts';
import { readJournal } from '../kit/flush-shim/journal.ts';
import { type Cut, Platter } from '../kit/flush-shim/platter.ts';
import { type Violation, violationsOf } from '../kit/history.ts';
import { oneOf, type Random, seededRandom, seedOfRun, wholeBetween } from '../kit/seeded-random.ts';

const rounds = Number(process.env['OPENMESH_TEST_POWER_ROUNDS'] ?? 12);
const seed = seedOfRun();
const mailboxes = ['POWERA', 'POWERB'];
let shim: FlushShim;
let home: string;
beforeAll(() => {
  shim = buildFlushShim();
});
afterAll(() => shim.remove());
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'openmesh-power-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function newLoad(random: Random): ExchangeLoad {
  return new ExchangeLoad({
    random,
    mailboxes,
    chunkBytes: [1, 900, 9000, 32_768, 32_769, 150_000],
    chunksMax: 4,
    sendersPerMailbox: 3,
    readersPerMailbox: 1,
  });
}

/** The watched folder of one life, what lay in it before, and the journal of what happened to it. */
class Disk {
  readonly root: string;
  readonly #before: string;
  readonly #journal: string;
  constructor(name: string, image?: string) {
    const folder = join(home, name);
    this.root = join(folder, 'root');
    this.#before = join(folder, 'before');
    this.#journal = join(folder, 'journal');
    mkdirSync(this.root, { recursive: true });
    if (image !== undefined) cpSync(image, this.root, { recursive: true });
    cpSync(this.root, this.#before, { recursive: true });
  }
  get folder(): ExchangeFolder {
    return new ExchangeFolder(home, join(this.root, 'data'));
  }
  env(flushing = true): Record<string, string> {
    return shim.env({ root: this.root, journal: this.#journal, flushing });
  }
  /** The platter as the journal leaves it. */
  get platter(): Platter {
    const platter = Platter.from(this.#before);
    for (const record of readJournal(this.#journal)) platter.apply(record);
    return platter;
  }
}

/** A promise for the cut to break: how many messages are accepted at least before it, where the disk lies. */
const acceptedMin = 5;

/** Load until the power goes: at random, or at a named point of the server's work; where the disk lies, after promises. */
async function untilCut(disk: Disk, load: ExchangeLoad, random: Random, flushing = true): Promise<void> {
  const trigger = new CrashTrigger(join(home, 'trigger'));
  const { nodeArgs, env } = trigger.start;
  const server = await ExchangeProcess.start({
    nodeArgs,
    env: { ...disk.folder.env, ...disk.env(flushing), ...env },
  });
  load.connect((mailbox) => disk.folder.client(server.url, mailbox));
  await load.resume();
  await load.drain();
  const atPoint = flushing && random() < 0.5;
  if (atPoint) trigger.arm(oneOf(random, crashPoints), wholeBetween(random, 20, 200));
  const stop = new AbortController();
  const working = load.run(stop.signal);
  if (!flushing) await expect.poll(() => accepted(load)).toBeGreaterThanOrEqual(acceptedMin);
  await Promise.race([server.exited, setTimeout(atPoint ? 3000 : wholeBetween(random, 300, 1200))]);
  const ended = await server.kill9();
  stop.abort();
  await working;
  load.disconnect();
  expect(ended, server.stdout.slice(-4000)).toEqual({ code: null, signal: 'SIGKILL' });
}

function accepted(load: ExchangeLoad): number {
  return load.history.events.filter((event) => event.kind === 'send' && event.outcome === 'accepted').length;
}

/** What clients find when the power is back: the violations, or that the server does not even start. */
async function judge(image: string, load: ExchangeLoad): Promise<readonly Violation[] | 'does-not-start'> {
  // Looking changes the folder, and the image is looked at from more than one side.
  const root = `${image}-judged`;
  cpSync(image, root, { recursive: true });
  const folder = new ExchangeFolder(home, join(root, 'data'));
  let server: ExchangeProcess;
  try {
    server = await ExchangeProcess.start({ env: folder.env });
  } catch (error) {
    if (error instanceof NotReady) return 'does-not-start';
    throw error;
  }
  try {
    load.connect((mailbox) => folder.client(server.url, mailbox));
    await load.resume();
    await load.observe();
    load.disconnect();
  } finally {
    await server.kill9();
    rmSync(root, { recursive: true, force: true });
  }
  return violationsOf(load.history.events);
}

/** The cut that forgets all it may, and one that keeps and tears by chance. */
function cutsOf(random: Random): readonly Cut[] {
  return [{ kind: 'flushed-only' }, { kind: 'some', random, chance: 0.5, sectorBytes: oneOf(random, [512, 4096]) }];
}

describe(`a power cut (OPENMESH_TEST_SEED=${seed}, ${rounds} rounds)`, () => {
  it(
    'keeps every promise, whichever of the unflushed writes reached the disk',
    async () => {
      const random = seededRandom(seed);
      let disk = new Disk('life-0');
      disk.folder.addMailboxes(mailboxes, disk.env());
      const load = newLoad(random);
      let atStake = 0;
      for (let round = 0; round < rounds; round += 1) {
        await untilCut(disk, load, random);
        const { platter } = disk;
        let next: string | undefined;
        for (const [at, cut] of cutsOf(random).entries()) {
          const image = join(home, `image-${round}-${at}`);
          const account = platter.writeImage(image, cut);
          atStake += account.unflushedChanges + account.unflushedNames;
          expect(await judge(image, load.fork()), `round ${round}, cut ${cut.kind} ${at}`).toEqual([]);
          if (next === undefined || random() < 0.5) next = image;
        }
        // The clients go on with one of the disks that could have been; what they saw of the others is forgotten.
        disk = new Disk(`life-${round + 1}`, next);
      }
      // A disk with nothing unflushed has nothing to forget.
      expect(atStake).toBeGreaterThan(0);
    },
    rounds * 90_000,
  );

  it('breaks promises on a disk that lies about flushing, so that the check above can fail', async () => {
    const random = seededRandom(seed);
    const disk = new Disk('life-0');
    disk.folder.addMailboxes(mailboxes, disk.env());
    const load = newLoad(random);
    await untilCut(disk, load, random, false);
    const image = join(home, 'image');
    disk.platter.writeImage(image, { kind: 'flushed-only' });
    const found = await judge(image, load);
    expect(found === 'does-not-start' ? ['lost'] : found.map((each) => each.kind)).toContain('lost');
  });
});
