import type { DatabaseSync } from 'node:sqlite';

/** Each takes the journal from one version to the next; the number of those applied is the file's `user_version`. */
const migrations = [
  `
  CREATE TABLE outgoing (
    pair INTEGER PRIMARY KEY AUTOINCREMENT,
    mailbox TEXT NOT NULL,
    base TEXT NOT NULL,
    control_name TEXT NOT NULL,
    data_name TEXT,
    control_print TEXT NOT NULL,
    data_print TEXT,
    key TEXT NOT NULL,
    local_id TEXT,
    state TEXT NOT NULL,
    message_id TEXT,
    upload TEXT,
    outcome TEXT,
    moves TEXT,
    failed_cycles INTEGER NOT NULL DEFAULT 0,
    delay_reported INTEGER NOT NULL DEFAULT 0,
    changed_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX outgoing_open ON outgoing (mailbox, pair) WHERE state <> 'settled';
  CREATE INDEX outgoing_local_id ON outgoing (mailbox, local_id) WHERE local_id IS NOT NULL;
  CREATE INDEX outgoing_message_id ON outgoing (mailbox, message_id) WHERE message_id IS NOT NULL;
  CREATE TABLE incoming (
    mailbox TEXT NOT NULL,
    message_id TEXT NOT NULL,
    state TEXT NOT NULL,
    is_report INTEGER NOT NULL,
    linked_id TEXT,
    moves TEXT,
    progress TEXT,
    changed_ms INTEGER NOT NULL,
    PRIMARY KEY (mailbox, message_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE notice (
    mailbox TEXT NOT NULL,
    kind TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (mailbox, kind)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX incoming_open ON incoming (mailbox, changed_ms) WHERE state <> 'acknowledged';
  `,
  `ALTER TABLE outgoing ADD COLUMN doubtful_sends INTEGER NOT NULL DEFAULT 0;`,
  `
  CREATE TABLE sighting (
    mailbox TEXT NOT NULL,
    name TEXT NOT NULL,
    print TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (mailbox, name)
  ) STRICT, WITHOUT ROWID;
  `,
];

/** "OMCJ": tells a journal from any other SQLite file. */
const applicationId = 0x4f4d434a;

/** Brings the file to the version of this program. Throws when it is another's, or of a later version. */
export function migrate(database: DatabaseSync, readOnly: boolean): void {
  const read = (pragma: string): number => Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0]);
  const version = read('user_version');
  if (version > 0 && read('application_id') !== applicationId)
    throw new JournalFault('the file is no journal of this client');
  if (version > migrations.length) throw new JournalFault('the journal was written by a later version of this client');
  if (readOnly) {
    if (version < migrations.length)
      throw new JournalFault('the journal is of an earlier version: start the client once');
    return;
  }
  for (let next = version; next < migrations.length; next += 1) {
    database.exec(
      `BEGIN IMMEDIATE; ${migrations[next]} PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${next + 1}; COMMIT`,
    );
  }
}

/** The journal cannot be used. The sentence says what to do; it holds no path. */
export class JournalFault extends Error {
  override readonly name = 'JournalFault';
  /** It may be over without anybody touching the file, as when a disk that was full has room again. */
  readonly mayPass: boolean;

  constructor(
    message: string,
    { mayPass = false, cause }: { readonly mayPass?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.mayPass = mayPass;
  }
}

/** What is in OUT by then was perhaps sent, and only people can find out. */
const damaged =
  'is damaged. To begin without it, take the pairs out of OUT that their recipients have, and move journal.sqlite out of WorkPath';

/** By SQLite's primary result code. */
const sentences: Readonly<Record<number, string>> = {
  3: 'may not be written: give the client’s account the right to change files in WorkPath',
  5: 'is held by another process: is a second client, or a program that looks into it, at work in WorkPath?',
  8: 'may not be written: give the client’s account the right to change files in WorkPath',
  10: 'cannot be read or written, for its disk fails: look after the disk of WorkPath',
  11: damaged,
  13: 'cannot grow, for its disk is full: make room on the disk of WorkPath',
  14: 'cannot be opened: is WorkPath there, and may the client’s account read and change files in it?',
  26: damaged,
};

export const damagedJournal = `the journal ${damaged}`;

/** Does something with the file. Throws a JournalFault for every error of SQLite's. */
export function withJournalFile<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const { code, errcode } = error as { code?: unknown; errcode?: unknown };
    if (code !== 'ERR_SQLITE_ERROR' || typeof errcode !== 'number') throw error;
    const says = sentences[errcode & 0xff] ?? `cannot be used (SQLite code ${errcode})`;
    throw new JournalFault(`the journal ${says}`, { mayPass: says !== damaged, cause: error });
  }
}
