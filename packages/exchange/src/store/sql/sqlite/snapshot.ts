import { randomBytes } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import type { BodyRef } from '../../bodies.ts';
import { LedgerFault } from '../../ledger.ts';
import { LedgerServed } from '../../ledger-problem.ts';
import { LedgerCopyProblem, type LedgerSnapshot, type NamedBody } from '../../ledger-snapshot.ts';
import { toNamedBody } from '../named-body.ts';
import { type NamedBodyRow, namedBodies } from '../questions/copies.ts';
import { findBodyRef } from '../questions/jobs.ts';
import { holdForServing } from './serving-lock.ts';

/** All pages in one step: a step that another writer comes between would have to begin anew. */
const pagesAtOnce = 2 ** 31 - 1;
const readBytes = 1024 * 1024;
/** A copy of this age is nobody's. */
const leftoverMs = 2 * 86_400_000;

/**
 * Copies the ledger at one moment, page by page, to a file beside it, which needs as much space and is removed by `close`.
 * Whoever writes goes on meanwhile.
 */
export async function snapshotSqlite(path: string): Promise<LedgerSnapshot> {
  if (!existsSync(path)) throw new LedgerCopyProblem(`there is no ledger at ${path}`);
  removeLeftovers(path);
  const copy = `${path}.snapshot-${randomBytes(6).toString('hex')}`;
  const remove = (): void => {
    for (const end of ['', '-journal', '-wal', '-shm']) rmSync(`${copy}${end}`, { force: true });
  };
  try {
    closeSync(openSync(copy, 'wx', 0o600));
  } catch (error) {
    throw notCopied(error);
  }
  try {
    const source = new DatabaseSync(path, { readOnly: true });
    try {
      await backup(source, copy, { rate: pagesAtOnce });
    } finally {
      source.close();
    }
  } catch (error) {
    remove();
    throw notCopied(error);
  }
  return {
    engine: 'sqlite',
    bodies: () => readBodies(copy),
    isNamedNow: async (ref) => isNamed(path, ref),
    pieces: () => readPieces(copy),
    async close() {
      remove();
    },
  };
}

function notCopied(error: unknown): LedgerCopyProblem {
  const why = error instanceof Error ? error.message : String(error);
  return new LedgerCopyProblem(`the ledger could not be copied to a file beside it: ${why}`, error);
}

async function* readBodies(copy: string): AsyncGenerator<NamedBody, void, void> {
  const db = new DatabaseSync(copy, { readOnly: true });
  try {
    yield* namedIn(db);
  } finally {
    db.close();
  }
}

async function* readPieces(copy: string): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* createReadStream(copy, { highWaterMark: readBytes }) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw notCopied(error);
  }
}

/** Every body that is not deleted. Throws `LedgerCopyProblem` where the ledger is damaged. */
export function* namedIn(db: DatabaseSync): Generator<NamedBody, void, void> {
  for (const row of rowsOf(db, namedBodies)) yield toNamedBody(row as NamedBodyRow);
}

/** Rows as arrays. Throws `LedgerCopyProblem` where the ledger is damaged. */
export function* rowsOf(db: DatabaseSync, sql: string, ...params: readonly number[]): Generator<unknown, void, void> {
  const rows = reading(() => {
    const statement = db.prepare(sql);
    statement.setReturnArrays(true);
    return statement.iterate(...params) as Iterator<unknown>;
  });
  for (;;) {
    const next = reading(() => rows.next());
    if (next.done === true) return;
    yield next.value;
  }
}

function reading<R>(read: () => R): R {
  try {
    return read();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LedgerCopyProblem(`the ledger cannot be read: ${why}`, error);
  }
}

function isNamed(path: string, ref: BodyRef): boolean {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return db.prepare(findBodyRef.sql).get({ $1: ref }) !== undefined;
  } finally {
    db.close();
  }
}

/** What a process left that died over it; a younger one may be in use. */
function removeLeftovers(path: string): void {
  const start = `${basename(path)}.snapshot-`;
  for (const name of readdirSync(dirname(path))) {
    const file = join(dirname(path), name);
    if (name.startsWith(start) && Date.now() - statSync(file).mtimeMs > leftoverMs) rmSync(file, { force: true });
  }
}

/** What SQLite keeps beside a ledger. It says nothing of which ledger it is of, and is taken for that of the one that is there. */
const besides = ['-wal', '-shm', '-journal'];

/**
 * Holds the place of a ledger for as long as one is restored there: no exchange begins with an empty ledger meanwhile, and
 * of two restores one is refused. Makes its folder.
 */
export function holdForRestoring(path: string): Disposable {
  refuseWhereOneIs(path);
  try {
    return onDisk(path, () => holdForServing(resolve(path)));
  } catch (error) {
    if (!(error instanceof LedgerCopyProblem && error.cause instanceof LedgerServed)) throw error;
    throw new LedgerCopyProblem(
      `an exchange serves the ledger at ${path}, or another command restores it: stop that one first`,
      error.cause,
    );
  }
}

function refuseWhereOneIs(path: string): void {
  if (existsSync(path)) {
    throw new LedgerCopyProblem(`there is a ledger at ${path} already: move it away first, with its -wal and -shm`);
  }
  const left = besides.map((end) => `${path}${end}`).find((file) => existsSync(file));
  if (left !== undefined) {
    throw new LedgerCopyProblem(
      `${left} is of a ledger that was here and holds its newest changes: move it to where that ledger is now`,
    );
  }
}

/**
 * Makes the ledger at `path` of its image, for whoever holds the place. Where one lies already, or what belonged to one
 * that was moved away, it is refused; a damaged image makes none.
 */
export async function restoreSqlite(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  refuseWhereOneIs(path);
  const aside = `${path}.restoring`;
  const clear = (): void => ['', ...besides].forEach((end) => rmSync(`${aside}${end}`, { force: true }));
  const file = onDisk(path, () => {
    clear();
    return openSync(aside, 'wx', 0o600);
  });
  try {
    try {
      for await (const piece of pieces) onDisk(path, () => writeAll(file, piece));
      onDisk(path, () => fsyncSync(file));
    } finally {
      closeSync(file);
    }
    check(aside);
    // A command that works on the ledger may have made one meanwhile, and changed it.
    refuseWhereOneIs(path);
    onDisk(path, () => {
      renameSync(aside, path);
      const folder = openSync(dirname(path), 'r');
      fsyncSync(folder);
      closeSync(folder);
    });
  } catch (error) {
    clear();
    throw error;
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}

/** What the disk refuses is told by its code. */
function onDisk<R>(path: string, act: () => R): R {
  try {
    return act();
  } catch (error) {
    if (error instanceof LedgerFault) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new LedgerCopyProblem(`the ledger cannot be written at ${path} (${code})`, error);
  }
}

function check(path: string): void {
  // To SQLite a file of no bytes is a ledger without tables.
  if (statSync(path).size === 0) throw new LedgerCopyProblem('the image is no ledger: it is empty');
  let found: unknown;
  try {
    const db = new DatabaseSync(path);
    try {
      found = Object.values(db.prepare('pragma quick_check(1)').get() ?? {})[0];
    } finally {
      db.close();
    }
  } catch (error) {
    throw new LedgerCopyProblem('the image is no ledger', error);
  }
  if (found !== 'ok') throw new LedgerCopyProblem(`the image of the ledger is damaged: ${String(found)}`);
}
