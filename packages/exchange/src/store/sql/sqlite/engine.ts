import { readdirSync, readFileSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { unfitByVersion } from '../../ledger-problem.ts';
import { madeAtKey } from '../commands/jobs.ts';
import type { Asked, AskedOfTables, Row, SqlValue, Talk } from '../question.ts';
import type { ReplayGuard } from './replay-guard.ts';

const pageBytes = 8192;
/** The log is written home when it has grown by so much: often, for whoever comes meanwhile waits. */
const checkpointBytes = 4 * 1024 * 1024;

const migrationsFolder = new URL('../migrations/sqlite/', import.meta.url);

export interface EngineOptions {
  readonly path: string;
  readonly readOnly: boolean;
  readonly cacheMebibytes: number;
  /** Who keeps the nonces; a reader claims none. */
  readonly guard?: Pick<ReplayGuard, 'claim'>;
  /** How long to wait for another process that holds the write lock, in milliseconds. */
  readonly lockTimeoutMs: number;
}

interface Prepared {
  readonly statement: StatementSync;
  readonly columns: readonly string[];
}

/** SQLite behind the questions: one connection of one thread. */
export interface SqliteEngine {
  /** Runs a conversation to its end, inside the transaction that is open. */
  talk<R>(talk: Talk<R>): R;
  begin(): void;
  commit(): void;
  /** Harmless when SQLite has rolled back by itself, as it does on some errors. */
  rollback(): void;
  exec(sql: string): void;
  pragma(name: string): unknown;
  close(): void;
}

/** Opens the file, creating it unless read-only. FULL: a commit returns after the log is flushed. */
export function openEngine(options: EngineOptions): SqliteEngine {
  const db = new DatabaseSync(options.path, { readOnly: options.readOnly });
  db.exec(`pragma busy_timeout = ${options.lockTimeoutMs}`);
  if (!options.readOnly) {
    // Of a new ledger. A body of the usual size takes two pages and not four, each with its frame in the log.
    db.exec(`pragma page_size = ${pageBytes}`);
    db.exec('pragma journal_mode = wal');
    db.exec('pragma synchronous = full');
    // What is deleted is overwritten where it lay, where that costs no writing of its own: a payload's key is gone then.
    db.exec('pragma secure_delete = fast');
    emptyLog(db, options.lockTimeoutMs);
    const { page_size: bytes } = db.prepare('pragma page_size').get() ?? {};
    db.exec(`pragma wal_autocheckpoint = ${Math.round(checkpointBytes / Number(bytes))}`);
    db.exec('pragma journal_size_limit = 67108864');
  }
  db.exec(`pragma cache_size = -${options.cacheMebibytes * 1024}`);
  db.exec('pragma temp_store = memory');
  const prepared = new Map<string, Prepared>();

  const prepare = (sql: string): Prepared => {
    const known = prepared.get(sql);
    if (known !== undefined) return known;
    const statement = db.prepare(sql.replaceAll(/\$(\d+)/g, '?$1'));
    statement.setReturnArrays(true);
    const fresh = { statement, columns: statement.columns().map(({ name }) => name) };
    prepared.set(sql, fresh);
    return fresh;
  };

  const put = ({ question, params, want }: AskedOfTables): unknown => {
    const { statement, columns } = prepare(question.sql);
    switch (want) {
      case 'one': {
        const values = statement.get(...params) as unknown as readonly SqlValue[] | undefined;
        return values === undefined ? undefined : toRow(columns, values);
      }
      case 'all':
        return (statement.all(...params) as unknown as readonly SqlValue[][]).map((values) => toRow(columns, values));
      case 'count':
        return Number(statement.run(...params).changes);
    }
  };

  /** Answers that hold until the transaction ends. */
  const steady = new Map<string, unknown>();

  const answer = (asked: Asked): unknown => {
    if ('nonce' in asked) {
      if (options.guard === undefined) throw new Error('a nonce was claimed where none are kept');
      return options.guard.claim(asked.nonce);
    }
    const { name, trait } = asked.question;
    if (trait === 'unsettles') steady.clear();
    if (trait !== 'steady') return put(asked);
    if (!steady.has(name)) steady.set(name, put(asked));
    return steady.get(name);
  };

  return {
    talk(talk) {
      let step = talk.next();
      while (step.done !== true) step = talk.next(answer(step.value));
      return step.value;
    },
    begin() {
      steady.clear();
      db.exec(options.readOnly ? 'begin' : 'begin immediate');
    },
    commit: () => db.exec('commit'),
    rollback: () => {
      if (db.isTransaction) db.exec('rollback');
    },
    exec: (sql) => db.exec(sql),
    pragma: (name) => Object.values(db.prepare(`pragma ${name}`).get() ?? {})[0],
    close: () => db.close(),
  };
}

/**
 * Writes home what an earlier process left in the log, and begins the log anew. After a failed flush the log may hold
 * pages that memory still shows and the disk has lost; whatever were committed behind them would be lost with them.
 * Another process that has the ledger open makes this impossible, and did it when it opened the ledger: no waiting.
 */
function emptyLog(db: DatabaseSync, lockTimeoutMs: number): void {
  db.exec('pragma busy_timeout = 0');
  db.exec('pragma wal_checkpoint(truncate)');
  db.exec(`pragma busy_timeout = ${lockTimeoutMs}`);
}

/** The driver's own objects cost twice as much as its arrays and this. */
function toRow(columns: readonly string[], values: readonly SqlValue[]): Row {
  const row: Record<string, SqlValue> = {};
  for (let index = 0; index < columns.length; index += 1) row[columns[index] ?? ''] = values[index] ?? null;
  return row;
}

/**
 * Brings the schema to this version of the product. Migrations are append-only and each runs once, in one transaction
 * with its mark. A ledger of a later version is refused.
 */
export function migrate(engine: SqliteEngine): void {
  const files = readdirSync(migrationsFolder)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  engine.begin();
  try {
    const done = Number(engine.pragma('user_version'));
    if (done > files.length) throw unfitByVersion(done, files.length);
    for (const [index, name] of files.entries()) {
      if (index >= done) engine.exec(readFileSync(new URL(name, migrationsFolder), 'utf8'));
    }
    if (done === 0) engine.exec(`insert into meta (key, value) values ('${madeAtKey}', '${Date.now()}')`);
    engine.exec(`pragma user_version = ${files.length}`);
    engine.commit();
  } catch (error) {
    engine.rollback();
    throw error;
  }
}
