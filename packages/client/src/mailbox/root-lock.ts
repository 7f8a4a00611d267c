import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { FolderFault } from '../folders/mailbox-tree.ts';

export interface LockOwner {
  readonly pid: number;
  readonly host: string;
  readonly startedAt: string;
}

/** Another process works on this mailbox folder. */
export class LockedByAnother extends Error {
  override readonly name = 'LockedByAnother';
  constructor(owner: LockOwner | undefined) {
    const who =
      owner === undefined ? 'another process' : `process ${owner.pid} on ${owner.host}, since ${owner.startedAt},`;
    super(`${who} works on this mailbox folder; two would send the same files twice`);
  }
}

export interface RootLock extends Disposable {
  readonly ownerFile: string;
  /**
   * Whether the folder still says that it is ours. One that was emptied, or is another by now, does not, and then nobody is
   * kept out. Throws when that cannot be read.
   */
  isHeld(): Promise<boolean>;
}

const lockName = '.openmesh-lock';
const ownerName = '.openmesh-owner.json';

/**
 * Takes a mailbox folder for this process alone. The lock is the operating system's, taken through an empty SQLite file,
 * and ends with the process however that ends; a readable file says who has it, for people and for shares whose locks do
 * not reach other machines. Throws LockedByAnother.
 */
export function lockRoot(folder: string, nowMs: number): RootLock {
  const ownerFile = join(folder, ownerName);
  const database = openLockFile(folder);
  const claim = `${JSON.stringify({ pid: process.pid, host: hostname(), startedAt: new Date(nowMs).toISOString() })}\n`;
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
    const before = readOwner(ownerFile);
    // On this machine the lock itself has just answered. A claim from another machine can only be taken back by people.
    if (before !== undefined && before.host !== hostname()) throw new LockedByAnother(before);
    writeFileSync(ownerFile, claim);
  } catch (error) {
    database.close();
    if (/locked|busy/i.test((error as Error).message) && !(error instanceof LockedByAnother)) {
      throw new LockedByAnother(readOwner(ownerFile));
    }
    throw explain(error);
  }
  return {
    ownerFile,
    async isHeld() {
      try {
        return database.isOpen && (await readFile(ownerFile, 'utf8')) === claim;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
        throw error;
      }
    },
    [Symbol.dispose]: () => {
      if (!database.isOpen) return;
      // In a folder that was replaced another process may have put its own.
      if (readText(ownerFile) === claim) rmSync(ownerFile, { force: true });
      database.close();
    },
  };
}

function openLockFile(folder: string): DatabaseSync {
  try {
    return new DatabaseSync(join(folder, lockName));
  } catch (error) {
    throw explain(error);
  }
}

function explain(error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'ERR_SQLITE_ERROR') return error;
  const text =
    'the folder TEMP takes no lock file: give the client’s account the right to change files in it, and see that its disk has room';
  return new FolderFault(text, { cause: error });
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Who says that he has a folder; undefined when nobody does. */
export function readOwner(file: string): LockOwner | undefined {
  try {
    const owner = JSON.parse(readFileSync(file, 'utf8')) as Partial<LockOwner>;
    const { pid, host, startedAt } = owner;
    return typeof pid === 'number' && typeof host === 'string' && typeof startedAt === 'string'
      ? { pid, host, startedAt }
      : undefined;
  } catch {
    return undefined;
  }
}

export function ownerFileIn(folder: string): string {
  return join(folder, ownerName);
}
