import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type {
  IncomingEntry,
  Journal,
  JournalCounts,
  NewOutgoing,
  OutgoingChange,
  OutgoingEntry,
  Sighting,
} from './journal.ts';
import { type Row, toIncoming, toOutgoing } from './rows.ts';
import { migrate, withJournalFile } from './schema.ts';

type Value = string | number | null;

const busyMs = 10_000;

/**
 * Opens the journal for the one process that writes it. With a write-ahead log and full flushing a commit that returned
 * is on the disk. Throws when the file is no journal, or of a later version.
 */
export function openJournal(file: string): SqliteJournal {
  return new SqliteJournal(connect(file, false));
}

/** Opens it beside a running client, to look only. */
export function openJournalToRead(file: string): Journal {
  return new SqliteJournal(connect(file, true));
}

function connect(file: string, readOnly: boolean): DatabaseSync {
  const database = withJournalFile(() => new DatabaseSync(file, { readOnly }));
  try {
    withJournalFile(() => {
      database.exec(`PRAGMA busy_timeout = ${busyMs}`);
      if (!readOnly) {
        database.exec('PRAGMA journal_mode = WAL');
        database.exec('PRAGMA synchronous = FULL');
      }
      migrate(database, readOnly);
    });
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

const columnOf = {
  state: 'state',
  messageId: 'message_id',
  upload: 'upload',
  outcome: 'outcome',
  moves: 'moves',
  failedCycles: 'failed_cycles',
  delayReported: 'delay_reported',
  doubtfulSends: 'doubtful_sends',
  key: 'key',
  controlPrint: 'control_print',
  changedMs: 'changed_ms',
} as const satisfies Record<keyof OutgoingChange, string>;

/** Settled pairs that may wait for the next commit. */
const settledWaitingMax = 64;

export class SqliteJournal implements Journal {
  readonly #database: DatabaseSync;
  #settled: { readonly pair: number; readonly changedMs: number }[] = [];
  readonly #prepared = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  begin(entry: NewOutgoing): OutgoingEntry {
    const row = this.#write(() =>
      this.#one(
        `INSERT INTO outgoing (mailbox, base, control_name, data_name, control_print, data_print, key, local_id, state,
         outcome, changed_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *`,
        entry.mailbox,
        entry.base,
        entry.controlName,
        entry.dataName,
        entry.controlPrint,
        entry.dataPrint,
        entry.key,
        entry.localId,
        entry.state,
        toJson(entry.outcome),
        entry.changedMs,
      ),
    );
    if (row === undefined) throw new Error('the journal did not keep a new entry');
    return toOutgoing(row);
  }

  change(pair: number, change: OutgoingChange): OutgoingEntry {
    return this.#write(() => this.#change(pair, change));
  }

  listMoves(
    listed: readonly { readonly pair: number; readonly moves: OutgoingEntry['moves'] }[],
    changedMs: number,
  ): readonly OutgoingEntry[] {
    return this.#transaction(() =>
      listed.map(({ pair, moves }) => this.#change(pair, { state: 'filing', moves, changedMs })),
    );
  }

  #change(pair: number, change: OutgoingChange): OutgoingEntry {
    const names = Object.keys(change) as (keyof OutgoingChange)[];
    const sets = names.map((name) => `${columnOf[name]} = ?`).join(', ');
    const values = names.map((name) => toValue(change[name]));
    const sql = `UPDATE outgoing SET ${sets} WHERE pair = ? RETURNING *`;
    const row = this.#one(sql, ...values, pair);
    if (row === undefined) throw new Error(`the journal has no pair ${pair}`);
    return toOutgoing(row);
  }

  settle(pair: number, changedMs: number): void {
    this.#settled.push({ pair, changedMs });
    if (this.#settled.length >= settledWaitingMax) this.#writeSettled();
  }

  #writeSettled(): void {
    if (this.#settled.length > 0) this.#write(() => undefined);
  }

  /** `change`, which is one statement, and what was settled. */
  #write<Result>(change: () => Result): Result {
    return this.#settled.length === 0 ? change() : this.#transaction(change);
  }

  /** One commit of what was settled and of `change`. */
  #transaction<Result>(change: () => Result): Result {
    const settled = this.#settled;
    withJournalFile(() => this.#database.exec('BEGIN IMMEDIATE'));
    try {
      const sql = `UPDATE outgoing SET state = 'settled', moves = NULL, upload = NULL, changed_ms = ? WHERE pair = ?`;
      for (const { pair, changedMs } of settled) this.#one(sql, changedMs, pair);
      const result = change();
      withJournalFile(() => this.#database.exec('COMMIT'));
      this.#settled = [];
      return result;
    } catch (error) {
      // After some failures, such as of a full disk, SQLite has done so by itself.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  find(pair: number): OutgoingEntry | undefined {
    this.#writeSettled();
    const row = this.#one('SELECT * FROM outgoing WHERE pair = ?', pair);
    return row === undefined ? undefined : toOutgoing(row);
  }

  open(mailbox: string): readonly OutgoingEntry[] {
    this.#writeSettled();
    const sql = `SELECT * FROM outgoing WHERE mailbox = ? AND state <> 'settled' ORDER BY pair`;
    return this.#all(sql, mailbox).map(toOutgoing);
  }

  isLocalIdTaken(mailbox: string, localId: string, exceptPair: number): boolean {
    const sql = 'SELECT 1 FROM outgoing WHERE mailbox = ? AND local_id = ? AND pair <> ? LIMIT 1';
    return this.#one(sql, mailbox, localId, exceptPair) !== undefined;
  }

  byMessageId(mailbox: string, messageId: string): OutgoingEntry | undefined {
    return this.#latest('message_id', mailbox, messageId);
  }

  byLocalId(mailbox: string, localId: string): OutgoingEntry | undefined {
    return this.#latest('local_id', mailbox, localId);
  }

  #latest(column: 'message_id' | 'local_id', mailbox: string, value: string): OutgoingEntry | undefined {
    this.#writeSettled();
    const sql = `SELECT * FROM outgoing WHERE mailbox = ? AND ${column} = ? ORDER BY pair DESC LIMIT 1`;
    const row = this.#one(sql, mailbox, value);
    return row === undefined ? undefined : toOutgoing(row);
  }

  incoming(mailbox: string, messageId: string): IncomingEntry | undefined {
    const row = this.#one('SELECT * FROM incoming WHERE mailbox = ? AND message_id = ?', mailbox, messageId);
    return row === undefined ? undefined : toIncoming(row);
  }

  unacknowledged(mailbox: string): readonly IncomingEntry[] {
    const sql = `SELECT * FROM incoming WHERE mailbox = ? AND state <> 'acknowledged' ORDER BY changed_ms, message_id`;
    return this.#all(sql, mailbox).map(toIncoming);
  }

  putIncoming(entry: IncomingEntry): void {
    this.#one(
      `INSERT OR REPLACE INTO incoming (mailbox, message_id, state, is_report, linked_id, moves, progress, changed_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      entry.mailbox,
      entry.messageId,
      entry.state,
      entry.isReport ? 1 : 0,
      entry.linkedId,
      toJson(entry.moves),
      entry.progress,
      entry.changedMs,
    );
  }

  claimNotice(mailbox: string, kind: string, nowMs: number, everyMs: number): boolean {
    const sql = `INSERT INTO notice (mailbox, kind, at_ms) VALUES (?, ?, ?)
      ON CONFLICT (mailbox, kind) DO UPDATE SET at_ms = excluded.at_ms
      WHERE at_ms <= excluded.at_ms - ? OR at_ms > excluded.at_ms RETURNING 1`;
    return this.#one(sql, mailbox, kind, nowMs, everyMs) !== undefined;
  }

  sightings(mailbox: string): ReadonlyMap<string, Sighting> {
    const rows = this.#all('SELECT name, print, since_ms FROM sighting WHERE mailbox = ?', mailbox);
    return new Map(rows.map((row) => [String(row.name), { print: String(row.print), sinceMs: Number(row.since_ms) }]));
  }

  keepSightings(mailbox: string, changes: ReadonlyMap<string, Sighting | null>): void {
    if (changes.size === 0) return;
    this.#transaction(() => {
      for (const [name, sighting] of changes) {
        if (sighting === null) this.#one('DELETE FROM sighting WHERE mailbox = ? AND name = ?', mailbox, name);
        else {
          const sql = 'INSERT OR REPLACE INTO sighting (mailbox, name, print, since_ms) VALUES (?, ?, ?, ?)';
          this.#one(sql, mailbox, name, sighting.print, sighting.sinceMs);
        }
      }
    });
  }

  counts(mailbox: string): JournalCounts {
    this.#writeSettled();
    const count = (table: 'outgoing' | 'incoming'): Record<string, number> => {
      const sql = `SELECT state, count(*) AS number FROM ${table} WHERE mailbox = ? GROUP BY state`;
      return Object.fromEntries(this.#all(sql, mailbox).map(({ state, number }) => [String(state), Number(number)]));
    };
    return { outgoing: count('outgoing'), incoming: count('incoming') };
  }

  prune(beforeMs: number): number {
    this.#writeSettled();
    const sql = [
      `DELETE FROM outgoing WHERE state = 'settled' AND changed_ms < ?`,
      `DELETE FROM incoming WHERE state = 'acknowledged' AND changed_ms < ?`,
    ];
    return withJournalFile(() => sql.reduce((sum, each) => sum + Number(this.#prepare(each).run(beforeMs).changes), 0));
  }

  /** What is in force, for a test of durability. */
  pragma(name: 'synchronous' | 'journal_mode'): unknown {
    return Object.values(this.#database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  }

  [Symbol.dispose](): void {
    this.#writeSettled();
    this.#database.close();
  }

  #one(sql: string, ...values: readonly Value[]): Row | undefined {
    return this.#all(sql, ...values)[0];
  }

  #all(sql: string, ...values: readonly Value[]): Row[] {
    return withJournalFile(() => this.#prepare(sql).all(...values));
  }

  #prepare(sql: string): StatementSync {
    const prepared = this.#prepared.get(sql) ?? this.#database.prepare(sql);
    this.#prepared.set(sql, prepared);
    return prepared;
  }
}

function toValue(value: unknown): Value {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return toJson(value);
}

function toJson(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}
