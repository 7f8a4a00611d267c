import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Blobs } from '../store/blobs.ts';
import type { BodyRef } from '../store/bodies.ts';
import { DiskBlobs } from '../store/disk/disk-blobs.ts';
import { type BackupIdentity, makeBackupKeys, readIdentity, readRecipient } from './backup-keys.ts';
import { createBackup } from './create-backup.ts';
import { type PruneParts, pruneBackups } from './prune-backups.ts';
import { listBackups, verifyBackup } from './read-backup.ts';

const dayMs = 86_400_000;
const startMs = Date.UTC(2026, 0, 5, 9);
const segmentBytes = 1024 * 1024;
const secret = randomBytes(32);

interface Keys {
  readonly identity: BackupIdentity;
  readonly recipient: NonNullable<ReturnType<typeof readRecipient>>;
}

function newKeys(): Keys {
  const { publicText, privateText } = makeBackupKeys();
  const [identity, recipient] = [readIdentity(privateText), readRecipient(publicText)];
  if (identity === undefined || recipient === undefined) throw new Error('keys that cannot be read were made');
  return { identity, recipient };
}

const keys = newKeys();
let folder = '';
let blobs: Blobs;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'openmesh-prune-'));
  blobs = new DiskBlobs(folder);
});
afterEach(() => rm(folder, { recursive: true }));

const refOf = (n: number): BodyRef => `202601${String(5 + (n % 20)).padStart(2, '0')}/b${n}` as BodyRef;

/** A backup of a ledger of these pieces that names these bodies, made so many days after the first. */
async function backUp(day: number, pieces: readonly number[], bodies: readonly number[], { recipient } = keys) {
  const refs = bodies.map(refOf).toSorted();
  const outcome = await createBackup({
    snapshot: {
      engine: 'sqlite',
      async *bodies() {
        for (const ref of refs)
          yield { ref, sizeBytes: 3, sha256: '', keepUntilMs: startMs + 1000 * dayMs, sealed: null };
      },
      isNamedNow: () => Promise.resolve(true),
      async *pieces() {
        for (const piece of pieces) yield new Uint8Array(segmentBytes).fill(piece);
      },
      close: () => Promise.resolve(),
    },
    bodies: {
      async *read() {
        yield Uint8Array.of(1, 2, 3);
      },
    },
    target: blobs,
    recipient,
    openSealed: () => Promise.resolve(undefined),
    namingSecret: secret,
    nowMs: () => Math.round(startMs + day * dayMs),
    product: 'test',
    progress: () => undefined,
  });
  return outcome.snapshot;
}

function prune(more: Partial<PruneParts> & Pick<PruneParts, 'rule'>) {
  return pruneBackups({
    source: { blobs, identity: keys.identity },
    dryRun: false,
    alone: false,
    nowMs: () => startMs + 100 * dayMs,
    progress: () => undefined,
    ...more,
  });
}

async function names(start = ''): Promise<string[]> {
  const listed: string[] = [];
  for await (const name of blobs.list(start)) listed.push(name);
  return listed;
}

async function expectAllWhole(): Promise<void> {
  for (const id of await listBackups(blobs)) {
    const { findings } = await verifyBackup({ blobs, identity: keys.identity }, id, () => undefined);
    expect(findings).toEqual([]);
  }
}

const keptBy = async (rule: PruneParts['rule']) => (await prune({ rule, dryRun: true })).kept;

async function bytesOf(all: readonly string[]): Promise<number> {
  const sizes = await Promise.all(all.map(async (name) => (await blobs.size(name)) ?? 0));
  return sizes.reduce((sum, size) => sum + size, 0);
}

const last = (keepLast: number) => ({ keepLast, keepSinceMs: undefined });

describe('removing old backups', () => {
  it('keeps the newest so many, those of the last days, and always one', async () => {
    const ids: string[] = [];
    for (const day of [0, 1, 2, 3]) ids.push(await backUp(day, [day], [day]));
    expect(await keptBy(last(2))).toEqual(ids.slice(2));
    expect(await keptBy({ keepLast: undefined, keepSinceMs: startMs + dayMs })).toEqual(ids.slice(1));
    expect(await keptBy({ keepLast: 1, keepSinceMs: startMs + 2 * dayMs })).toEqual(ids.slice(2));
    expect(await keptBy({ keepLast: undefined, keepSinceMs: startMs + 50 * dayMs })).toEqual(ids.slice(3));
  });

  it('keeps one that a clock dated ahead, and in its place removes none of those made since the clock was right', async () => {
    const ahead = await backUp(500, [1], [1]);
    const ids: string[] = [];
    for (const day of [1, 2, 3]) ids.push(await backUp(day, [day], [day]));
    expect(await keptBy(last(1))).toEqual([ids[2], ahead]);
    expect(await keptBy(last(2))).toEqual([ids[1], ids[2], ahead]);
  });

  it('knows the newer of two that were made in one second', async () => {
    for (let round = 0; round < 20; round += 1) {
      const made = [await backUp(round, [1], []), await backUp(round + 1 / dayMs, [1], [])];
      expect(made.toSorted()).toEqual(made);
    }
  });

  it('leaves exactly what the kept ones need, whatever they share', async () => {
    const set = fc.uniqueArray(fc.nat(6), { maxLength: 4 });
    const made = fc.array(fc.tuple(set, fc.uniqueArray(fc.nat(30), { maxLength: 12 })), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(made, fc.integer({ min: 1, max: 3 }), async (backups, keepLast) => {
        await blobs.remove(await names());
        for (const [day, [pieces, bodies]] of backups.entries()) await backUp(day, pieces, bodies);
        const { kept, removed, segmentsRemoved, bodiesRemoved, whole } = await prune({ rule: last(keepLast) });
        const keptBackups = backups.slice(-keepLast);
        expect([kept.length, removed.length, whole]).toEqual([
          keptBackups.length,
          backups.length - keptBackups.length,
          true,
        ]);
        const needed = [
          new Set(keptBackups.flatMap(([pieces]) => pieces)),
          new Set(keptBackups.flatMap(([, all]) => all)),
        ];
        const there = [new Set(backups.flatMap(([pieces]) => pieces)), new Set(backups.flatMap(([, all]) => all))];
        const left = [(await names('ledger/')).length, (await names('bodies/')).length];
        expect(left).toEqual(needed.map(({ size }) => size));
        expect([segmentsRemoved, bodiesRemoved]).toEqual(there.map(({ size }, at) => size - (left[at] ?? 0)));
        expect((await names()).length).toBe(kept.length + (left[0] ?? 0) + (left[1] ?? 0));
        await expectAllWhole();
      }),
      { numRuns: 12 },
    );
  });

  it('takes nothing away when it only looks, and says the bytes that it then frees', async () => {
    for (const day of [0, 1, 2]) await backUp(day, [day], [day]);
    const before = await names();
    const looked = await prune({ rule: last(1), dryRun: true });
    expect(await names()).toEqual(before);
    const total = await bytesOf(before);
    expect(await prune({ rule: last(1) })).toEqual(looked);
    expect(await bytesOf(await names())).toBe(total - looked.removedBytes);
    expect(looked).toMatchObject({ segmentsRemoved: 2, bodiesRemoved: 2 });
  });

  it('removes what killed writers left half written, when nobody wrote to it for a day, and nothing of it when it only looks', async () => {
    await backUp(99, [1], [1]);
    const nowMs = startMs + 100 * dayMs;
    const left = async (name: string, ageMs: number): Promise<string> => {
      const file = join(folder, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, 'half');
      await utimes(file, (nowMs - ageMs) / 1000, (nowMs - ageMs) / 1000);
      return file;
    };
    const old = [
      await left('.unfinished-1', dayMs + 60_000),
      await left('snapshots/.unfinished-2', 30 * dayMs),
      await left('bodies/only/here/.unfinished-3', 2 * dayMs),
    ];
    const young = await left('ledger/.unfinished-4', dayMs - 60_000);
    const before = await names();
    const remaining = () => [...old, young].filter((file) => existsSync(file));
    await prune({ rule: last(1), dryRun: true });
    expect(remaining()).toEqual([...old, young]);
    await prune({ rule: last(1) });
    expect(remaining()).toEqual([young]);
    expect(existsSync(join(folder, 'bodies/only'))).toBe(false);
    expect(await names()).toEqual(before);
    await expectAllWhole();
  });

  it('leaves no backup that is not whole, wherever it is cut off, and goes on when run again', async () => {
    for (let cut = 0; cut < 3; cut += 1) {
      await blobs.remove(await names());
      for (const day of [0, 1, 2, 3]) await backUp(day, [day, 7], [day, day + 10]);
      let calls = 0;
      const cutting: Blobs = {
        size: (name) => blobs.size(name),
        read: (name) => blobs.read(name),
        write: (name, pieces) => blobs.write(name, pieces),
        list: (start) => blobs.list(start),
        close: () => undefined,
        async remove(gone) {
          if (calls >= cut) throw new RangeError('the power went');
          calls += 1;
          await blobs.remove(gone);
        },
      };
      const parts = { rule: last(2), source: { blobs: cutting, identity: keys.identity } };
      await expect(prune(parts)).rejects.toThrow('the power went');
      await expectAllWhole();
      await blobs.remove(await names('pruning/'));
      await prune({ rule: last(2) });
      expect([(await names('ledger/')).length, (await names('bodies/')).length]).toEqual([3, 4]);
      await expectAllWhole();
    }
  });

  it.each([
    ['is damaged', (id: string) => blobs.write(`snapshots/${id}`, [randomBytes(300)])],
    ['was sealed for another key', () => backUp(5, [9], [9], newKeys())],
  ])('takes nothing away when a kept backup %s', async (_how, spoil) => {
    for (const day of [0, 1]) await backUp(day, [day], [day]);
    await spoil(await backUp(2, [2], [2]));
    const before = await names();
    await expect(prune({ rule: last(2) })).rejects.toThrow();
    expect(await names()).toEqual(before);
  });

  it('removes what was sealed for a key that no kept backup has', async () => {
    await backUp(0, [0], [0], newKeys());
    await backUp(1, [1], [1]);
    expect(await prune({ rule: last(1) })).toMatchObject({ segmentsRemoved: 1, bodiesRemoved: 1 });
    await expectAllWhole();
  });
});

const markOf = (work: string, day: number): string =>
  `${work}/${new Date(startMs + day * dayMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')}-00000000`;

describe('making and removing backups in one place', () => {
  it('exclude each other, and a refusal leaves no mark of its own', async () => {
    await backUp(0, [0], [0]);
    await backUp(1, [1], [1]);
    await blobs.write(markOf('making', 90), []);
    await expect(prune({ rule: last(1) })).rejects.toThrow(/a backup is being made here since 2026-04-05.*--alone/);
    expect(await names('pruning/')).toEqual([]);
    await prune({ rule: last(1), alone: true });
    expect(await names('making/')).toEqual([]);
    await blobs.write(markOf('pruning', 2), []);
    await expect(backUp(2.5, [2], [2])).rejects.toThrow(/old backups are being removed here/);
    expect(await names('making/')).toEqual([]);
    await expect(prune({ rule: last(1), nowMs: () => startMs + 2.5 * dayMs, alone: true })).rejects.toThrow(
      /removed here/,
    );
  });

  it('are not kept apart for ever by a removal that died', async () => {
    await blobs.write(markOf('pruning', 0), []);
    await backUp(2, [2], [2]);
    expect(await names('making/')).toEqual([]);
    await expectAllWhole();
  });
});
