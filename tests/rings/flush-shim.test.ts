import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildFlushShim, type FaultRule, type FlushShim, setFaults } from '../kit/flush-shim/build.ts';
import { readJournal } from '../kit/flush-shim/journal.ts';
import { type Cut, Platter } from '../kit/flush-shim/platter.ts';
import { seededRandom, seedOfRun } from '../kit/seeded-random.ts';

const sqliteRows = fileURLToPath(new URL('programs/sqlite-rows.ts', import.meta.url));
const toldWhileWriting = fileURLToPath(new URL('programs/told-while-writing.ts', import.meta.url));
const fileChanges = fileURLToPath(new URL('programs/file-changes.ts', import.meta.url));
const seed = seedOfRun();
let shim: FlushShim;
let scratch: string;
let root: string;

beforeAll(() => {
  shim = buildFlushShim();
});
afterAll(() => shim.remove());
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'openmesh-flush-'));
  root = join(scratch, 'root');
  mkdirSync(root);
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

interface Run {
  readonly promised: number;
  readonly code: number | null;
  readonly errors: string;
}

/** Runs the program under the shim until it ends, or until it is killed after that many promises. */
async function run(options: {
  readonly program?: string;
  readonly synchronous?: string;
  readonly rows?: number;
  readonly killAfter?: number;
  readonly flushing?: boolean;
}): Promise<Run> {
  const { program = sqliteRows, synchronous = 'FULL', rows = 120, killAfter = Infinity, flushing = true } = options;
  const env = shim.env({ root, journal: join(scratch, 'journal'), faults: join(scratch, 'faults'), flushing });
  const child = spawn(process.execPath, [program, root, synchronous, String(rows)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    printed += piece;
    if (promisesIn(printed) >= killAfter) child.kill('SIGKILL');
  });
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    errors += piece;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { promised: promisesIn(printed), code, errors };
}

function promisesIn(printed: string): number {
  return printed.split('\n').length - 1;
}

/** Every file below a folder, by name, as text. */
function filesOf(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  const paths = files.map((each) => join(each.parentPath, each.name)).sort();
  return new Map(paths.map((path) => [path.slice(folder.length + 1), readFileSync(path, 'latin1')]));
}

/** How many rows from 1 on are there whole; 0 when the database cannot be read at all. */
function rowsIn(folder: string): number {
  if (!readdirSync(folder).includes('rows.db')) return 0;
  const database = new DatabaseSync(join(folder, 'rows.db'));
  try {
    if (database.prepare('PRAGMA integrity_check').get()?.['integrity_check'] !== 'ok') return 0;
    const rows = database.prepare('SELECT n, body FROM rows ORDER BY n').all();
    const wrong = rows.findIndex(
      (row, at) => row['n'] !== at + 1 || row['body'] !== `${at + 1}:`.padEnd(((at + 1) * 37) % 3000, 'x'),
    );
    return wrong < 0 ? rows.length : wrong;
  } catch (error) {
    // "no such table" and "file is not a database" are what a lost beginning looks like.
    if (error instanceof Error && 'errcode' in error) return 0;
    throw error;
  } finally {
    database.close();
  }
}

let images = 0;
function rowsAfter(platter: Platter, cut: Cut): number {
  images += 1;
  const target = join(scratch, `image-${images}`);
  platter.writeImage(target, cut);
  const rows = rowsIn(target);
  rmSync(target, { recursive: true });
  return rows;
}

/** The worst of many cuts, spread over the whole run: the number of promised rows that were gone. */
function worstLoss(cuts: number): number {
  const records = [...readJournal(join(scratch, 'journal'))];
  const random = seededRandom(seed);
  const cutAt = new Set(Array.from({ length: cuts }, () => Math.floor(random() * records.length)));
  const platter = Platter.from();
  let promises: number | undefined;
  let promised = 0;
  let worst = 0;
  for (const [at, record] of records.entries()) {
    platter.apply(record);
    if (record.kind === 'open' && record.name === 'promises') promises = record.object;
    if (record.kind === 'write' && record.object === promises) promised += 1;
    if (!cutAt.has(at)) continue;
    const some = { kind: 'some', random, chance: 0.5 } as const;
    const choices: Cut[] = [{ kind: 'flushed-only' }, { ...some, sectorBytes: 512 }, { ...some, sectorBytes: 4096 }];
    for (const cut of choices) worst = Math.max(worst, promised - rowsAfter(platter, cut));
  }
  return worst;
}

describe(`the flush shim under SQLite (OPENMESH_TEST_SEED=${seed})`, () => {
  it.each([sqliteRows, fileChanges])(
    'sees every change: the journal played to its end is the folder (%s)',
    async (program) => {
      const { code, errors } = await run({ program });
      expect(code, errors).toBe(0);
      const platter = Platter.from();
      for (const record of readJournal(join(scratch, 'journal'))) platter.apply(record);
      const target = join(scratch, 'all');
      platter.writeImage(target, { kind: 'everything' });
      const found = filesOf(root);
      expect(found.size).toBeGreaterThan(1);
      expect(filesOf(target)).toEqual(found);
    },
  );

  it('ends a process that changes a file in a way it cannot see', async () => {
    const { code, errors } = await run({
      program:
        '--eval=fs.writeFileSync(`${process.argv[1]}/a`, "a"); fs.copyFileSync(`${process.argv[1]}/a`, `${process.argv[1]}/b`)',
    });
    expect(code).not.toBe(0);
    expect(errors).toMatch(/flush shim: a file is/);
  });

  it('finds every row that was promised before a SIGKILL and a power cut', async () => {
    const { promised } = await run({ rows: 100_000, killAfter: 150 });
    expect(promised).toBeGreaterThanOrEqual(150);
    const platter = Platter.from();
    for (const record of readJournal(join(scratch, 'journal'))) platter.apply(record);
    expect(rowsAfter(platter, { kind: 'flushed-only' })).toBeGreaterThanOrEqual(promised);
  });

  it('finds every promised row after a cut at any moment of a run, with synchronous=FULL', async () => {
    await run({});
    expect(worstLoss(60)).toBe(0);
  });

  it('finds losses when the disk lies about flushing, so that the checks above can fail', async () => {
    await run({ flushing: false });
    expect(worstLoss(20)).toBeGreaterThan(0);
  });

  it.each(['NORMAL', 'OFF'])(
    'finds losses with synchronous=%s, which promises before it flushes',
    async (synchronous) => {
      await run({ synchronous });
      expect(worstLoss(40)).toBeGreaterThan(0);
    },
  );

  it.each([
    { operation: 'flush', what: 'EIO', skip: 30, glob: '*-wal' },
    { operation: 'write', what: 'EIO', skip: 60, glob: '*-wal' },
    { operation: 'grow', what: 'ENOSPC', skip: 40, glob: '*' },
    { operation: 'write', what: 'SHORT', skip: 20, glob: '*-wal' },
  ] satisfies FaultRule[])('makes calls fail on demand and loses nothing promised before: %j', async (rule) => {
    setFaults(join(scratch, 'faults'), [rule]);
    const { promised, code } = await run({ rows: 100 });
    if (rule.what !== 'SHORT') expect(code).not.toBe(0);
    expect(promised).toBeLessThanOrEqual(100);
    setFaults(join(scratch, 'faults'), []);
    expect(rowsIn(root)).toBeGreaterThanOrEqual(promised);
  });

  it('lets a process be told of a signal in the middle of a write', async () => {
    const { code, errors } = await run({ program: toldWhileWriting });
    expect(code, errors).toBe(0);
  });
});
