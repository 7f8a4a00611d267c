import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../seeded-random.ts';
import type { JournalRecord } from './journal.ts';
import { type Cut, Platter } from './platter.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'openmesh-platter-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const flushedOnly: Cut = { kind: 'flushed-only' };
let tokens = 0n;

function created(object: number, name: string): JournalRecord {
  return { kind: 'open', object, name, created: true, emptied: false };
}
function written(object: number, offset: number, text: string): JournalRecord {
  return { kind: 'write', object, offset, bytes: Buffer.from(text) };
}
function flushed(target: number | string): JournalRecord[] {
  tokens += 1n;
  return [
    { kind: 'flush-begin', token: tokens, target: typeof target === 'number' ? { file: target } : { folder: target } },
    { kind: 'flush-done', token: tokens },
  ];
}
function platterOf(records: readonly JournalRecord[]): Platter {
  const platter = Platter.from();
  for (const record of records) platter.apply(record);
  return platter;
}
/** Name to text of every file of the image. */
function imageOf(platter: Platter, cut: Cut): Record<string, string> {
  const target = mkdtempSync(join(scratch, 'image-'));
  platter.writeImage(target, cut);
  const names = readdirSync(target, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  return Object.fromEntries(
    names.map((each) => {
      const path = join(each.parentPath, each.name);
      return [path.slice(target.length + 1), readFileSync(path, 'latin1')];
    }),
  );
}

describe('a platter after a cut', () => {
  it('has lost what was written after the last flush, and kept what was written before it', () => {
    const platter = platterOf([
      created(1, 'a'),
      written(1, 0, 'kept'),
      ...flushed(1),
      ...flushed(''),
      written(1, 4, '!'),
    ]);
    expect(imageOf(platter, flushedOnly)).toEqual({ a: 'kept' });
    expect(imageOf(platter, { kind: 'everything' })).toEqual({ a: 'kept!' });
  });

  it('has lost a flushed file whose folder was not flushed, for nobody can find it', () => {
    const platter = platterOf([created(1, 'a'), written(1, 0, 'bytes'), ...flushed(1)]);
    expect(imageOf(platter, flushedOnly)).toEqual({});
  });

  it('has lost everything in a new folder whose own name was not flushed', () => {
    const inner = [created(1, 'day/a'), written(1, 0, 'x'), ...flushed(1), ...flushed('day')];
    expect(imageOf(platterOf([{ kind: 'mkdir', name: 'day' }, ...inner]), flushedOnly)).toEqual({});
    expect(imageOf(platterOf([{ kind: 'mkdir', name: 'day' }, ...inner, ...flushed('')]), flushedOnly)).toEqual({
      'day/a': 'x',
    });
  });

  it('shows the old name until the folder of the new one is flushed', () => {
    const before = [created(1, 'a'), written(1, 0, 'x'), ...flushed(1), { kind: 'mkdir', name: 'd' }, ...flushed('')];
    const renamed = [...(before as JournalRecord[]), { kind: 'rename', name: 'a', other: 'd/b' } as const];
    expect(imageOf(platterOf([...renamed, ...flushed('')]), flushedOnly)).toEqual({ a: 'x' });
    expect(imageOf(platterOf([...renamed, ...flushed('d')]), flushedOnly)).toEqual({ 'd/b': 'x' });
  });

  it('brings a deleted file back when the deletion was not flushed', () => {
    const before = [created(1, 'a'), ...flushed(''), { kind: 'unlink', name: 'a' } as const];
    expect(imageOf(platterOf(before), flushedOnly)).toEqual({ a: '' });
    expect(imageOf(platterOf([...before, ...flushed('')]), flushedOnly)).toEqual({});
  });

  it('does not count a write that began after the flush began', () => {
    const platter = platterOf([
      created(1, 'a'),
      ...flushed(''),
      written(1, 0, 'old'),
      { kind: 'flush-begin', token: 99n, target: { file: 1 } },
      written(1, 0, 'new'),
      { kind: 'flush-done', token: 99n },
    ]);
    expect(imageOf(platter, flushedOnly)).toEqual({ a: 'old' });
  });

  it('does not believe a flush that is tried again after it failed', () => {
    const platter = platterOf([
      created(1, 'a'),
      ...flushed(''),
      written(1, 0, 'lost'),
      { kind: 'flush-begin', token: 98n, target: { file: 1 } },
      { kind: 'flush-failed', token: 98n },
      ...flushed(1),
    ]);
    expect(imageOf(platter, flushedOnly)).toEqual({ a: '' });
  });

  it('tears unflushed writes at sectors and nowhere else', () => {
    const platter = platterOf([created(1, 'a'), ...flushed(''), written(1, 0, 'y'.repeat(4096))]);
    const seen = new Set<string>();
    for (let seed = 0; seed < 40; seed += 1) {
      const cut: Cut = { kind: 'some', random: seededRandom(seed), sectorBytes: 512, chance: 0.5 };
      const text = imageOf(platter, cut)['a'] ?? '';
      for (let at = 0; at < text.length; at += 512) expect(new Set(text.slice(at, at + 512)).size).toBe(1);
      seen.add(text);
    }
    expect(seen.size).toBeGreaterThan(10);
  });

  it('takes what lay in the folder at the start as flushed', () => {
    const first = platterOf([{ kind: 'mkdir', name: 'd' }, created(1, 'd/a'), written(1, 0, 'x')]);
    const folder = mkdtempSync(join(scratch, 'base-'));
    first.writeImage(folder, { kind: 'everything' });
    const second = Platter.from(folder);
    second.apply({ kind: 'open', object: 7, name: 'd/a', created: false, emptied: false });
    second.apply(written(7, 1, 'z'));
    expect(imageOf(second, flushedOnly)).toEqual({ 'd/a': 'x' });
    expect(imageOf(second, { kind: 'everything' })).toEqual({ 'd/a': 'xz' });
  });

  it('refuses a journal that does not explain the folder', () => {
    expect(() => platterOf([written(5, 0, 'x')])).toThrow(/never opened/);
    expect(() => platterOf([{ kind: 'open', object: 1, name: 'a', created: false, emptied: false }])).toThrow(
      /came from/,
    );
  });

  it('never loses flushed bytes and never invents any, whatever else was written', () => {
    const change = fc.record({ at: fc.integer({ min: 0, max: 40 }), length: fc.integer({ min: 1, max: 40 }) });
    fc.assert(
      fc.property(fc.array(change), fc.array(change), fc.integer(), (before, after, seed) => {
        const platter = platterOf([
          created(1, 'a'),
          ...flushed(''),
          ...before.map((each) => written(1, each.at, 'k'.repeat(each.length))),
          ...flushed(1),
          ...after.map((each) => written(1, each.at, 'u'.repeat(each.length))),
        ]);
        const certain = imageOf(platter, flushedOnly)['a'] ?? '';
        const all = imageOf(platter, { kind: 'everything' })['a'] ?? '';
        const some = imageOf(platter, { kind: 'some', random: seededRandom(seed), sectorBytes: 512, chance: 0.5 })['a'];
        expect(certain).not.toContain('u');
        expect(some?.length).toBeGreaterThanOrEqual(certain.length);
        for (const [at, letter] of Array.from(some ?? '').entries())
          expect([certain[at], all[at], '\0']).toContain(letter);
      }),
      { numRuns: 60 },
    );
  });
});
