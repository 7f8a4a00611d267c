import { existsSync, renameSync } from 'node:fs';
import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LedgerServed } from '../../ledger-problem.ts';
import { LedgerCopyProblem, type NamedBody } from '../../ledger-snapshot.ts';
import { hexOf } from '../fingerprints.ts';
import type { SqlValue } from '../question.ts';
import type { TableReader, UsedToken } from '../table-copy.ts';
import { migrate, openEngine } from './engine.ts';
import { claimsIn } from './replay-guard.ts';
import { holdForServing } from './serving-lock.ts';
import { namedIn, rowsOf } from './snapshot.ts';

/** A ledger that nobody else has open, and nobody can open until it is closed. */
export interface HeldSqlite extends TableReader {
  /** Every body that is not deleted. */
  bodies(): AsyncIterable<NamedBody>;
  /** Tokens that were used and are still to be refused at `nowMs`, by the machine's clock. */
  usedTokens(nowMs: number): Iterable<UsedToken>;
  /** What the ledger remembers of itself, such as its profile. */
  meta(key: string): string | undefined;
  close(): void;
  /** Closes it and gives it another name, so that nobody goes on with it by mistake; answers that name. */
  retire(): string;
}

/** Opens the ledger for this process alone. Throws `LedgerCopyProblem` where another has it open. */
export function holdSqlite(path: string): HeldSqlite {
  if (!existsSync(path)) throw new LedgerCopyProblem(`there is no ledger at ${path}`);
  const serving = holdPlace(path);
  let db: DatabaseSync;
  try {
    bringUpToDate(path);
    db = openAlone(path);
  } catch (error) {
    serving[Symbol.dispose]();
    throw error;
  }
  return {
    async tables() {
      const rows = db
        .prepare(`select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name`)
        .all();
      return rows.map((row) => String(row['name']));
    },
    async columns(table) {
      return db
        .prepare('select name from pragma_table_info(?)')
        .all(table)
        .map((row) => String(row['name']));
    },
    async *rows(table, columns) {
      const sql = `select ${columns.map(quoted).join(', ')} from ${quoted(table)}`;
      for (const row of rowsOf(db, sql)) yield row as readonly SqlValue[];
    },
    async *bodies() {
      yield* namedIn(db);
    },
    *usedTokens(nowMs) {
      const sql = 'select expires_at_ms, prints from nonce_log where expires_at_ms > ?';
      for (const [span, prints] of rowsOf(db, sql, nowMs) as Iterable<[number, Uint8Array]>) {
        for (const { print, leftMs } of claimsIn(Buffer.from(prints))) {
          yield { print: hexOf(print), seenAtMs: span - leftMs, expiresAtMs: span };
        }
      }
    },
    meta(key) {
      const found = db.prepare('select value from meta where key = ?').get(key)?.['value'];
      return found === undefined ? undefined : String(found);
    },
    close() {
      if (db.isOpen) db.close();
      serving[Symbol.dispose]();
    },
    retire() {
      db.exec('rollback');
      db.exec('pragma locking_mode = normal');
      db.exec('pragma wal_checkpoint(truncate)');
      db.close();
      const name = `${path}.moved`;
      renameSync(path, name);
      serving[Symbol.dispose]();
      return name;
    },
  };
}

const inUse = 'the ledger is in use: stop the exchange, and every command on it, first';

/** An exchange that is started meanwhile is told so, and does not wait for a ledger that is about to be another's. */
function holdPlace(path: string): Disposable {
  try {
    return holdForServing(resolve(path));
  } catch (error) {
    throw error instanceof LedgerServed ? new LedgerCopyProblem(inUse, error) : error;
  }
}

function openAlone(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  try {
    db.exec('pragma locking_mode = exclusive');
    db.exec('begin exclusive');
    return db;
  } catch (error) {
    db.close();
    throw new LedgerCopyProblem(inUse, error);
  }
}

/** Both dialects say the same only at the same version of the product. */
function bringUpToDate(path: string): void {
  const engine = openEngine({ path, readOnly: false, cacheMebibytes: 8, lockTimeoutMs: 1000 });
  try {
    migrate(engine);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LedgerCopyProblem(`the ledger cannot be brought to this version: ${why}`, error);
  } finally {
    engine.close();
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
