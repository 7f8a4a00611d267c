import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { SqlValue } from './question.ts';
import { copyTables, type TableReader, type TableWriter } from './table-copy.ts';

/** The columns of each table of an agreed schema. */
function tablesOf(dialect: 'sqlite' | 'postgres'): ReadonlyMap<string, readonly string[]> {
  const sql = readFileSync(new URL(`golden/${dialect}.sql`, import.meta.url), 'utf8');
  const tables = [...sql.matchAll(/^CREATE TABLE (?:public\.)?"?(\w+)"? \(\n?([\s\S]*?)\n?\)[^\n]*;$/gim)];
  return new Map(tables.map(([, name = '', body = '']) => [name, columnsIn(body)]));
}

/** Each column stands after a comma or a line's start; constraints begin with another word or a bracket. */
function columnsIn(body: string): readonly string[] {
  const names = [...body.matchAll(/(?:^|,)\s*"?(\w+)"? (?:text|integer|bigint|smallint|blob|bytea)\b/gim)];
  return names.map(([, name = '']) => name);
}

function readerOf(tables: ReadonlyMap<string, readonly string[]>, rows = 0): TableReader {
  return {
    tables: async () => [...tables.keys()],
    columns: async (table) => tables.get(table) ?? [],
    async *rows(_table, columns) {
      for (let n = 0; n < rows; n += 1) yield columns.map((column): SqlValue => `${column} ${n}`);
    },
  };
}

class Written implements TableWriter {
  readonly rows = new Map<string, number>();
  readonly #tables: ReadonlyMap<string, readonly string[]>;
  constructor(tables: ReadonlyMap<string, readonly string[]>) {
    this.#tables = tables;
  }
  async columns(table: string): Promise<readonly string[]> {
    return this.#tables.get(table) ?? [];
  }
  async write(table: string, _columns: readonly string[], rows: readonly unknown[]): Promise<void> {
    this.rows.set(table, (this.rows.get(table) ?? 0) + rows.length);
  }
}

async function copy(from: TableReader, to: TableWriter): Promise<string[]> {
  const copied: string[] = [];
  for await (const { table, ended } of copyTables(from, to)) if (ended) copied.push(table);
  return copied;
}

describe('a copy of every table', () => {
  const sqlite = tablesOf('sqlite');
  const postgres = tablesOf('postgres');

  it('finds a place in PostgreSQL for every table and column of SQLite but those of the engine itself', async () => {
    expect(sqlite.get('message')?.length).toBeGreaterThan(30);
    expect(postgres.size).toBeGreaterThan(sqlite.size - 3);
    const copied = await copy(readerOf(sqlite), new Written(postgres));
    const left = [...sqlite.keys()].filter((table) => !copied.includes(table));
    expect(left.sort()).toEqual(['filing', 'lease', 'nonce_log']);
  });

  it('hands over every row, however many there are', async () => {
    const written = new Written(postgres);
    await copy(readerOf(sqlite, 1201), written);
    expect(new Set(written.rows.values())).toEqual(new Set([1201]));
  });

  it('is refused where a column would be lost', async () => {
    const more = new Map([...sqlite, ['mailbox', ['mailbox_id', 'something_new']]]);
    await expect(copy(readerOf(more), new Written(postgres))).rejects.toThrow('no place for mailbox (something_new)');
  });
});
