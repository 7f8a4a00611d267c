import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresServer } from '../../tests/kit/engines/postgres.ts';

/** Messages that were sent and collected yesterday, as the exchange would have recorded them. */
export interface PostgresLoad {
  readonly messages: number;
  /** Mailboxes that the bulk is spread over. */
  readonly mailboxes: number;
  /** Start of the UTC day that the bulk belongs to, ms since 1970; its part of the tables must be there. */
  readonly dayStartMs: number;
}

/** Bytes one loaded message takes in the database, with its share of every index; rounded up. */
export const bytesPerMessage = 2000;

const dayMs = 86_400_000;
const batchMessages = 250_000;
/** One message in so many still waits for its recipient. */
const waitingEvery = 20;

/** Loads the bulk in batches. `onProgress` hears how many are there. */
export async function loadPostgres(
  database: PostgresServer,
  name: string,
  load: PostgresLoad,
  onProgress: (loaded: number) => void,
): Promise<void> {
  for (let from = 0; from < load.messages; from += batchMessages) {
    const to = Math.min(load.messages, from + batchMessages);
    await database.run(batchOf(load, from, to), name);
    onProgress(to);
    // Lets whatever else runs on the machine have its turn.
    await sleep(0);
  }
  await database.run(counters, name);
  await database.run('vacuum analyze message', name);
  await database.run('checkpoint', name);
}

function batchOf({ messages, mailboxes, dayStartMs }: PostgresLoad, from: number, to: number): string {
  const stepMs = Math.max(1, Math.floor(dayMs / messages));
  const keepUntilMs = dayStartMs + 35 * dayMs;
  return `begin;
    create temp table batch on commit drop as
      select i, at, to_char(to_timestamp(at / 1000) at time zone 'utc', 'YYYYMMDDHH24MISS')
          || lpad((at % 1000 * 1000 + i % 1000)::text, 6, '0') || '_' || lpad(upper(to_hex(i)), 6, '0') as id,
        'BENCHC' || lpad((i * 7919 % ${mailboxes})::text, 6, '0') as s,
        'BENCHC' || lpad((i % ${mailboxes})::text, 6, '0') as r,
        i / ${mailboxes} + 1 as p, (i / ${mailboxes}) % ${waitingEvery} <> 0 as done
      from (select i, ${dayStartMs}::bigint + i * ${stepMs} as at
        from generate_series(${from}::bigint, ${to - 1}::bigint) i) numbered;
    insert into payload (payload_id, total_chunks, stored_chunks, size_bytes, content_encoding, keep_until_ms, sha256,
        block_digests, stored_at_ms, inline_body)
      select id, 1, 1, 200, '', ${keepUntilMs}, lpad(to_hex(i), 64, '0'), '', at, decode(repeat(md5(id), 12), 'hex')
      from batch;
    insert into message (message_id, message_type, sender, recipient, workflow_id, payload_id, state, status_code,
        status_event, status_description, compressed, encrypted, sealed, local_key, created_at_ms, accepted_at_ms,
        state_at_ms, hide_at_ms, remove_at_ms, position, expires_at_ms, acknowledged_at_ms, downloads, events)
      select id, 'DATA', s, r, 'BENCH_BULK', id, case when done then 'acknowledged' else 'accepted' end, '00', 'TRANSFER',
        'Transferred to recipient mailbox', 0, 0, repeat('A', 200), lpad(to_hex(i), 24, '0'), at, at, at,
        ${keepUntilMs}, ${dayStartMs + 95 * dayMs}, p, ${keepUntilMs}, case when done then at end, done::int,
        json_build_array(at, s, 'accepted', '')::text || chr(10)
      from batch;
    insert into inbox_entry (mailbox_id, position, message_id, workflow_id, expires_at_ms)
      select r, p, id, 'BENCH_BULK', ${keepUntilMs} from batch where not done;
    commit`;
}

const counters = `insert into inbox_counter (mailbox_id, waiting, next_position)
  select recipient, count(*) filter (where state = 'accepted'), max(position) + 1 from message
  where position > 0 group by recipient on conflict (mailbox_id)
  do update set waiting = excluded.waiting, next_position = excluded.next_position`;
