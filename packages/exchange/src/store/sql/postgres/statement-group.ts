import { type Connection, DatabaseError, type FieldDef, type Submittable } from 'pg';
import type { Row, SqlValue } from '../question.ts';
import type { Answer, Statement } from './connection.ts';
import { toParam } from './dialect.ts';
import { Skipped, withoutValues } from './faults.ts';

/** A statement of a group; its name stands for its text on the whole connection. */
export interface GroupedStatement {
  readonly name: string;
  readonly sql: string;
  readonly params: NonNullable<Statement['params']>;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

interface Column {
  readonly name: string;
  readonly read: (text: string) => unknown;
}

interface Prepared {
  readonly sql: string;
  readonly columns: readonly Column[];
}

/** What one connection's server keeps ready, by name. */
export interface PreparedStatements {
  readonly known: Map<string, Prepared>;
  /** Sent, and perhaps not read: a statement before them failed. */
  readonly doubtful: Set<string>;
}

export interface GroupOptions {
  readonly statements: readonly GroupedStatement[];
  readonly prepared: PreparedStatements;
  /** How a column of a type is read. */
  readonly parserOf: (oid: number) => (text: string) => unknown;
  /** Called once, when every statement is answered or rejected. */
  readonly settled: () => void;
}

const commandTag = /^([A-Z]+)(?: \d+)*?(?: (\d+))?$/;
/** The tables changed so that the statement would answer other columns than before: it is to be prepared anew. */
const planOutdated = '0A000';
const noColumns: readonly Column[] = [];

/**
 * Statements that travel in one write and are answered in one: at their end stands one Sync, where the driver has one
 * behind each of its queries, and with it a flush, a wake-up and a read on either side. The server reads none after one
 * that fails; all of them are rejected then, that one with its error and the others as `Skipped`, also those before it,
 * for outside of a transaction they are undone with it.
 */
export class StatementGroup implements Submittable {
  readonly #options: GroupOptions;
  readonly #answers: Answer[] = [];
  #columns: readonly Column[] | undefined;
  #rows: Row[] = [];
  #failed = false;

  constructor(options: GroupOptions) {
    this.#options = options;
  }

  /** Called by the driver when the connection is this group's; an error it returns goes to `handleError`. */
  submit(connection: Connection): Error | undefined {
    const { known, doubtful } = this.#options.prepared;
    const other = this.#options.statements.find(({ name, sql }) => (known.get(name)?.sql ?? sql) !== sql);
    if (other !== undefined) return new Error(`two statements are called ${other.name}`);
    const sent = new Set<string>();
    connection.stream.cork();
    for (const { name, sql, params } of this.#options.statements) {
      const isNew = !known.has(name) && !sent.has(name);
      if (isNew) {
        if (doubtful.has(name)) connection.close({ type: 'S', name }, true);
        connection.parse({ name, text: sql, types: [] }, true);
        sent.add(name);
      }
      connection.bind({ statement: name, values: params.map(toWire) }, true);
      if (isNew) connection.describe({ type: 'P', name: '' }, true);
      connection.execute(null, true);
    }
    connection.sync();
    connection.stream.uncork();
    return undefined;
  }

  handleRowDescription({ fields }: { readonly fields: readonly FieldDef[] }): void {
    this.#columns = fields.map(({ name, dataTypeID }) => ({ name, read: this.#options.parserOf(dataTypeID) }));
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const columns = this.#columnsNow();
    const row: Record<string, SqlValue> = {};
    for (let at = 0; at < columns.length; at += 1) {
      const column = columns[at];
      const text = fields[at];
      if (column !== undefined) row[column.name] = typeof text === 'string' ? (column.read(text) as SqlValue) : null;
    }
    this.#rows.push(row);
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    const statement = this.#options.statements[this.#answers.length];
    if (statement === undefined) throw new Error('PostgreSQL answered more than it was asked');
    const { name, sql } = statement;
    if (!this.#options.prepared.known.has(name)) {
      this.#options.prepared.known.set(name, { sql, columns: this.#columns ?? noColumns });
      this.#options.prepared.doubtful.delete(name);
    }
    const [, command = text, count = '0'] = commandTag.exec(text) ?? [];
    this.#answers.push({ rows: this.#rows, count: Number(count), command });
    this.#rows = [];
    this.#columns = undefined;
  }

  handleError(raised: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    const error = withoutValues(raised);
    const { statements, prepared } = this.#options;
    const failedAt = Math.min(this.#answers.length, statements.length - 1);
    const isOutdated = error instanceof DatabaseError && error.code === planOutdated;
    if (isOutdated) prepared.known.delete(statements[failedAt]?.name ?? '');
    for (const [at, { name, reject }] of statements.entries()) {
      if (!prepared.known.has(name)) prepared.doubtful.add(name);
      reject(at === failedAt ? error : new Skipped(error));
    }
    this.#options.settled();
  }

  handleReadyForQuery(): void {
    if (this.#failed) return;
    if (this.#answers.length !== this.#options.statements.length)
      return this.handleError(new Error('PostgreSQL left out answers'));
    for (const [at, { resolve }] of this.#options.statements.entries()) {
      const answer = this.#answers[at];
      if (answer !== undefined) resolve(answer);
    }
    this.#options.settled();
  }

  #columnsNow(): readonly Column[] {
    const name = this.#options.statements[this.#answers.length]?.name ?? '';
    return this.#columns ?? this.#options.prepared.known.get(name)?.columns ?? noColumns;
  }
}

/** The driver writes bytes in PostgreSQL's binary form, and anything else as text. */
function toWire(value: SqlValue): string | Buffer | null {
  const param = toParam(value);
  return typeof param === 'number' ? String(param) : param;
}
