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

/** The journal cannot be used. */
export class JournalFault extends Error {
  override readonly name = 'JournalFault';
}
