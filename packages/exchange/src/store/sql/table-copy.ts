import { LedgerCopyProblem } from '../ledger-snapshot.ts';
import type { SqlValue } from './question.ts';

/** The tables of one dialect as another sees them: names, columns and values are the same in both. */
export interface TableReader {
  tables(): Promise<readonly string[]>;
  columns(table: string): Promise<readonly string[]>;
  /** In no order; a row's values are in the order of the columns. */
  rows(table: string, columns: readonly string[]): AsyncIterable<readonly SqlValue[]>;
}

export interface TableWriter {
  /** Columns that can be given a value. */
  columns(table: string): Promise<readonly string[]>;
  write(table: string, columns: readonly string[], rows: readonly (readonly SqlValue[])[]): Promise<void>;
}

/** A token that was used, as SQLite knows it; the key of the fingerprints goes with the rows. Milliseconds since 1970. */
export interface UsedToken {
  /** 16 hexadecimal digits. */
  readonly print: string;
  readonly seenAtMs: number;
  readonly expiresAtMs: number;
}

/**
 * What is of one engine only: how SQLite numbers and files messages, its log of used tokens, which goes another way, and who
 * does which job at the moment.
 */
const ownTables = new Set(['filing', 'nonce_log', 'lease']);
const ownColumns = new Set(['message.message_no', 'message.filed']);
const rowsTogether = 500;

export interface TableCopied {
  readonly table: string;
  readonly rows: number;
  /** All of them are there. */
  readonly ended: boolean;
}

/** Copies every row of every table. Throws when the other dialect has no place for something. */
export async function* copyTables(from: TableReader, to: TableWriter): AsyncGenerator<TableCopied, void, void> {
  for (const table of (await from.tables()).filter((name) => !ownTables.has(name))) {
    const columns = (await from.columns(table)).filter((column) => !ownColumns.has(`${table}.${column}`));
    const there = new Set(await to.columns(table));
    const homeless = columns.filter((column) => !there.has(column));
    if (homeless.length > 0) {
      throw new LedgerCopyProblem(`the other engine has no place for ${table} (${homeless.join(', ')})`);
    }
    let rows = 0;
    let batch: (readonly SqlValue[])[] = [];
    for await (const row of from.rows(table, columns)) {
      batch.push(row);
      rows += 1;
      if (batch.length < rowsTogether) continue;
      await to.write(table, columns, batch);
      yield { table, rows, ended: false };
      batch = [];
    }
    if (batch.length > 0) await to.write(table, columns, batch);
    yield { table, rows, ended: true };
  }
}
