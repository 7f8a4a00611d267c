import { DatabaseSync } from 'node:sqlite';

/** Messages that were sent and collected long ago, as the exchange would have recorded them. */
export interface LoadPlan {
  readonly ledgerPath: string;
  /** How many messages the bulk should hold afterwards; those already loaded are kept. */
  readonly messages: number;
  /** Mailboxes that the bulk is spread over, named by `bulkMailbox`. */
  readonly bulkMailboxes: number;
  /** The time of the first message, ms since 1970; later ones follow 34 ms apart, so ten million span four days. */
  readonly firstAtMs: number;
}

export interface InboxPlan {
  readonly ledgerPath: string;
  readonly mailbox: string;
  readonly sender: string;
  readonly waiting: number;
  /** Keeps ids of several inboxes apart: 1 to 999. */
  readonly series: number;
  readonly firstAtMs: number;
}

const stepMs = 34;
const batchMessages = 500_000;
/** One message in so many of the bulk still waits for its recipient. */
const waitingEvery = 20;
const dayMs = 24 * 3_600_000;
const cacheKiB = 4 * 1024 * 1024;

/** Bytes one loaded message takes in the ledger, with its share of every index; measured, rounded up. */
export const bytesPerMessage = 1500;

/** Loads the bulk. Nobody else may have the ledger open. `onProgress` hears how many are there. */
export function loadMessages(plan: LoadPlan, onProgress: (loaded: number) => void = () => {}): void {
  const db = openForLoading(plan.ledgerPath);
  try {
    const prefix = `'BENCHC' || printf('%06d', `;
    let loaded = Number(db.prepare(`select count(*) as n from message where workflow_id = 'BENCH_BULK'`).get()?.n);
    while (loaded < plan.messages) {
      const to = Math.min(plan.messages, loaded + batchMessages);
      fillBatch(db, loaded, to, {
        series: 0,
        firstAtMs: plan.firstAtMs,
        workflow: 'BENCH_BULK',
        sender: `${prefix}(i * 7919) % ${plan.bulkMailboxes})`,
        recipient: `${prefix}i % ${plan.bulkMailboxes})`,
        position: `i / ${plan.bulkMailboxes} + 1`,
        waiting: `(i / ${plan.bulkMailboxes}) % ${waitingEvery} = 0`,
      });
      loaded = to;
      onProgress(loaded);
    }
    recount(db);
  } finally {
    closeLoaded(db);
  }
}

/** Gives one mailbox an inbox of `waiting` messages. Nobody else may have the ledger open. */
export function loadInbox(plan: InboxPlan): void {
  const db = openForLoading(plan.ledgerPath);
  try {
    for (let from = 0; from < plan.waiting; from += batchMessages) {
      fillBatch(db, from, Math.min(plan.waiting, from + batchMessages), {
        series: plan.series,
        firstAtMs: plan.firstAtMs,
        workflow: 'BENCH_INBOX',
        sender: `'${plan.sender}'`,
        recipient: `'${plan.mailbox}'`,
        position: 'i + 1',
        waiting: '1',
      });
    }
    recount(db);
  } finally {
    closeLoaded(db);
  }
}

function openForLoading(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  // What a crash would cost here is a benchmark's data, so nothing is flushed until the end.
  db.exec('pragma locking_mode = exclusive; pragma journal_mode = off; pragma synchronous = off');
  db.exec(`pragma cache_size = -${cacheKiB}; pragma temp_store = memory`);
  return db;
}

function closeLoaded(db: DatabaseSync): void {
  db.exec('pragma journal_mode = wal');
  db.close();
}

interface BatchShape {
  readonly series: number;
  readonly firstAtMs: number;
  readonly workflow: string;
  /** SQL over `i`, the number of the message. */
  readonly sender: string;
  readonly recipient: string;
  readonly position: string;
  readonly waiting: string;
}

function fillBatch(db: DatabaseSync, from: number, to: number, shape: BatchShape): void {
  const keepUntilMs = shape.firstAtMs + 35 * dayMs;
  const removeAtMs = shape.firstAtMs + 95 * dayMs;
  db.exec('begin');
  db.exec(
    'create temp table if not exists batch (i integer primary key, id text, at integer, done integer, s text, r text, p integer)',
  );
  db.exec('delete from batch');
  db.exec(`
    insert into batch
    with recursive n(i) as (select ${from} union all select i + 1 from n where i + 1 < ${to}),
      timed(i, at) as (select i, ${shape.firstAtMs} + i * ${stepMs} from n)
    select i,
      strftime('%Y%m%d%H%M%S', at / 1000, 'unixepoch') || printf('%06d_%06X', at % 1000 * 1000 + ${shape.series},
        (i * 2654435761) & 16777215),
      at, not (${shape.waiting}), ${shape.sender}, ${shape.recipient}, ${shape.position}
    from timed`);
  db.exec(`
    insert into payload
      (payload_id, total_chunks, stored_chunks, size_bytes, content_encoding, keep_until_ms, sha256, block_digests,
       stored_at_ms, inline_body)
    select id, 1, 1, 200, '', ${keepUntilMs}, printf('%064x', i), '', at, randomblob(200) from batch`);
  db.exec(`
    insert into message
      (message_id, message_type, sender, recipient, workflow_id, payload_id, state, status_code, status_event,
       status_description, compressed, encrypted, sealed, local_key, created_at_ms, accepted_at_ms, state_at_ms,
       hide_at_ms, remove_at_ms, position, expires_at_ms, acknowledged_at_ms, first_listed_at_ms, first_download_at_ms,
       last_download_at_ms, downloads, filed, events)
    select id, 'DATA', s, r, '${shape.workflow}', id, iif(done, 'acknowledged', 'accepted'), '00', 'TRANSFER',
      'Transferred to recipient mailbox', 0, 0, printf('%.200c', 'A'), printf('%024x', i), at, at, at,
      ${keepUntilMs}, ${removeAtMs}, p, ${keepUntilMs}, iif(done, at, null), iif(done, at, null), iif(done, at, null),
      iif(done, at, null), done, 1,
      json_array(at, s, 'accepted', '') || char(10)
        || iif(done, json_array(at, r, 'acknowledged', '') || char(10), '')
    from batch`);
  db.exec(`
    insert into inbox_entry (mailbox_id, position, message_id, workflow_id, expires_at_ms)
    select r, p, id, '${shape.workflow}', ${keepUntilMs} from batch where not done`);
  db.exec('commit');
}

/**
 * The counters of every mailbox, from its entries; those the exchange itself kept come out the same. What it had not
 * filed lies below what was loaded, so it is filed with it.
 */
function recount(db: DatabaseSync): void {
  db.exec(`
    update message set filed = 1 where filed = 0 and message_no > (select message_no from filing);
    update filing set message_no = (select coalesce(max(message_no), 0) from message)`);
  db.exec(`
    insert or replace into inbox_counter (mailbox_id, waiting, next_position)
    select recipient, sum(state = 'accepted'), max(position) + 1 from message where position > 0 group by recipient`);
}
