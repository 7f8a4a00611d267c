import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSqliteLedger } from '@openmesh/exchange/store/sql/sqlite/ledger.ts';
import type { MailboxId } from '@openmesh/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildFlushShim, type FaultRule, type FlushShim, setFaults } from '../kit/flush-shim/build.ts';
import { readJournal } from '../kit/flush-shim/journal.ts';
import { type Cut, Platter } from '../kit/flush-shim/platter.ts';
import { seededRandom, seedOfRun } from '../kit/seeded-random.ts';

const program = fileURLToPath(new URL('programs/ledger-claims.ts', import.meta.url));
const seed = seedOfRun();
let shim: FlushShim;
let scratch: string;
let root: string;
beforeAll(() => {
  shim = buildFlushShim();
});
afterAll(() => shim.remove());
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'openmesh-ledger-cut-'));
  root = join(scratch, 'root');
  mkdirSync(root);
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

interface Life {
  readonly answered: readonly string[];
  readonly code: number | null;
}

/** One life of the ledger in a process of its own: it claims `count` nonces from `first` on, unless it breaks. */
async function live(first: number, count: number, faults: readonly FaultRule[] = [], flushing = true): Promise<Life> {
  setFaults(join(scratch, 'faults'), faults);
  const env = shim.env({ root, journal: join(scratch, 'journal'), faults: join(scratch, 'faults'), flushing });
  const ledger = join(root, 'data', 'ledger.sqlite');
  const child = spawn(process.execPath, [program, ledger, String(first), String(count)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    printed += piece;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { answered: printed.split('\n').slice(0, -1), code };
}

/** Which of these claims are gone after a cut: those that the ledger, opened on what is left, takes for new. */
async function lostAfter(cut: Cut, answered: readonly string[]): Promise<readonly string[]> {
  const platter = Platter.from();
  for (const record of readJournal(join(scratch, 'journal'))) platter.apply(record);
  const image = mkdtempSync(join(scratch, 'image-'));
  platter.writeImage(image, cut);
  const path = join(image, 'data', 'ledger.sqlite');
  const ledger = await openSqliteLedger({ path, profile: 'live', cacheMebibytes: 8, queueMax: 1000, onBroken });
  const mailbox = 'RINGS' as MailboxId;
  const claims = answered.map((nonce) => ledger.nonces.claim({ mailbox, nonce, seenAtMs: 1, expiresAtMs: 2 }));
  const outcomes = await Promise.all(claims);
  await ledger.close();
  return answered.filter((_, index) => outcomes[index]?.kind === 'claimed');
}

function onBroken(reason: string): void {
  throw new Error(`the ledger broke on an image of a cut: ${reason}`);
}

describe(`the ledger after a power cut (OPENMESH_TEST_SEED=${seed})`, () => {
  it('holds every answered command, from its very first start on', async () => {
    const { answered } = await live(1, 200);
    expect(answered).toHaveLength(200);
    expect(await lostAfter({ kind: 'flushed-only' }, answered)).toEqual([]);
    const random = seededRandom(seed);
    for (const sectorBytes of [512, 4096, 512, 4096] as const) {
      expect(await lostAfter({ kind: 'some', random, sectorBytes, chance: 0.5 }, answered)).toEqual([]);
    }
  });

  it('has lost commands on a disk that lies about flushing, so that the check above can fail', async () => {
    const { answered } = await live(1, 50, [], false);
    expect(await lostAfter({ kind: 'flushed-only' }, answered)).not.toEqual([]);
  });

  it.each([
    ['the log, while opening', '*-wal', 0],
    ['the log, while serving', '*-wal', 7],
    ['the pages, while opening', '*.sqlite', 0],
  ])('ends when a flush of %s fails, and keeps what a later life answers', async (_when, glob, skip) => {
    const before = await live(1, 20);
    const broken = await live(100, 50, [{ operation: 'flush', what: 'EIO', skip, count: 1, glob }]);
    expect(broken.code).toBeGreaterThan(0);
    expect(broken.answered.length).toBeLessThan(50);
    const after = await live(200, 20);
    expect(after.answered).toHaveLength(20);
    // The failed flush left pages that memory shows and the disk never got: nothing may be built on them.
    const answered = [...before.answered, ...broken.answered, ...after.answered];
    expect(await lostAfter({ kind: 'flushed-only' }, answered)).toEqual([]);
  });
});
