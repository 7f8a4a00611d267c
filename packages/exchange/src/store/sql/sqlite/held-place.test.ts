import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LedgerServed } from '../../ledger-problem.ts';
import { LedgerCopyProblem } from '../../ledger-snapshot.ts';
import { migrate, openEngine } from './engine.ts';
import { holdForServing } from './serving-lock.ts';
import { holdForRestoring, restoreSqlite } from './snapshot.ts';
import { holdSqlite } from './table-reader.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openmesh-held-'));
  path = join(folder, 'ledger.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function makeLedger(at: string): void {
  const engine = openEngine({ path: at, readOnly: false, cacheMebibytes: 1, lockTimeoutMs: 1000 });
  migrate(engine);
  engine.close();
}

/** An image in two pieces; `between` runs when the first was taken. */
async function* image(between: () => void = () => undefined): AsyncGenerator<Uint8Array, void, void> {
  const source = join(folder, 'source.sqlite');
  makeLedger(source);
  const bytes = readFileSync(source);
  yield bytes.subarray(0, 8192);
  between();
  yield bytes.subarray(8192);
}

describe('the place of a ledger that is being restored', () => {
  it('is held against exchanges and other restores, however each of them begins', () => {
    {
      using _held = holdForRestoring(path);
      expect(() => holdForServing(path)).toThrow(LedgerServed);
      expect(() => holdForRestoring(path)).toThrow(/another command restores it/);
    }
    using _served = holdForServing(path);
    expect(() => holdForRestoring(path)).toThrow(LedgerCopyProblem);
  });

  it('keeps a ledger that somebody made there meanwhile, and nothing of the image', async () => {
    using _held = holdForRestoring(path);
    const making = (): void => {
      const made = new DatabaseSync(path);
      made.exec('create table made_meanwhile (it)');
      made.close();
    };
    await expect(restoreSqlite(path, image(making))).rejects.toThrow(/there is a ledger .* already/);
    const found = new DatabaseSync(path);
    expect(found.prepare('select name from sqlite_schema').all()).toEqual([{ name: 'made_meanwhile' }]);
    found.close();
    expect(readdirSync(folder).filter((name) => name.includes('restoring'))).toEqual([]);
  });

  it('gets no ledger of an image without bytes, which SQLite would call good', async () => {
    using _held = holdForRestoring(path);
    const nothing = (async function* (): AsyncGenerator<Uint8Array, void, void> {})();
    await expect(restoreSqlite(path, nothing)).rejects.toThrow(/no ledger/);
    expect(existsSync(path)).toBe(false);
    await restoreSqlite(path, image());
    expect(existsSync(path)).toBe(true);
  });
});

describe('a ledger that is being moved away', () => {
  it('is held against exchanges until it has its other name', () => {
    makeLedger(path);
    const held = holdSqlite(path);
    expect(() => holdForServing(path)).toThrow(LedgerServed);
    expect(() => holdSqlite(path)).toThrow(/in use/);
    expect(held.retire()).toBe(`${path}.moved`);
    held.close();
    using _served = holdForServing(path);
    expect(existsSync(path)).toBe(false);
  });

  it('is refused while an exchange serves it, and can be served once it is let go of', () => {
    makeLedger(path);
    {
      using _served = holdForServing(path);
      expect(() => holdSqlite(path)).toThrow(/in use: stop the exchange/);
    }
    holdSqlite(path).close();
    using _served = holdForServing(path);
    expect(existsSync(path)).toBe(true);
  });
});
