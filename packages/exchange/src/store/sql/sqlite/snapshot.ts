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
import { basename, dirname, join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { LedgerCopyProblem, type LedgerSnapshot, type NamedBody } from '../../ledger-snapshot.ts';
import { toNamedBody } from '../named-body.ts';
import { type NamedBodyRow, namedBodies } from '../questions/copies.ts';

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
  closeSync(openSync(copy, 'wx', 0o600));
  const remove = (): void => {
    for (const end of ['', '-journal', '-wal', '-shm']) rmSync(`${copy}${end}`, { force: true });
  };
  try {
    const source = new DatabaseSync(path, { readOnly: true });
    try {
      await backup(source, copy, { rate: pagesAtOnce });
    } finally {
      source.close();
    }
  } catch (error) {
    remove();
    throw new LedgerCopyProblem('the ledger could not be copied', error);
  }
  return {
    engine: 'sqlite',
    bodies: () => readBodies(copy),
    pieces: () => createReadStream(copy, { highWaterMark: readBytes }) as AsyncIterable<Uint8Array>,
    async close() {
      remove();
    },
  };
}

async function* readBodies(copy: string): AsyncGenerator<NamedBody, void, void> {
  const db = new DatabaseSync(copy, { readOnly: true });
  try {
    const statement = db.prepare(namedBodies);
    statement.setReturnArrays(true);
    for (const row of statement.iterate()) yield toNamedBody(row as unknown as NamedBodyRow);
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

/** Makes the ledger at `path` of its image. Where one lies already it is refused; a damaged image makes none. */
export async function restoreSqlite(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  if (existsSync(path)) throw new LedgerCopyProblem(`there is a ledger at ${path} already: move it away first`);
  const aside = `${path}.restoring`;
  rmSync(aside, { force: true });
  const file = openSync(aside, 'wx', 0o600);
  try {
    for await (const piece of pieces) {
      for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  check(aside);
  renameSync(aside, path);
  const folder = openSync(dirname(path), 'r');
  fsyncSync(folder);
  closeSync(folder);
}

function check(path: string): void {
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
