import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LedgerServed } from '../../ledger-problem.ts';
import { holdForServing } from './serving-lock.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openmesh-serving-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const program = `
  const { DatabaseSync } = require('node:sqlite');
  try {
    new DatabaseSync(process.argv[1]).exec('begin exclusive');
    console.log('taken');
  } catch (error) {
    console.log(error.message);
  }
`;

/** What another process hears that asks for the lock at once. */
function another(path: string): string {
  return execFileSync(process.execPath, ['-e', program, `${path}-serving`], { encoding: 'utf8' }).trim();
}

it('holds a ledger against all others, after this process asked for it in vain too, until it is let go of', () => {
  const path = join(folder, 'ledger.sqlite');
  {
    using _held = holdForServing(path);
    expect(another(path)).toBe('database is locked');
    expect(() => holdForServing(path)).toThrow(LedgerServed);
    expect(another(path)).toBe('database is locked');
  }
  expect(another(path)).toBe('taken');
});
