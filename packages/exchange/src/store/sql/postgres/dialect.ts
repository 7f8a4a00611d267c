import type { Question, SqlValue } from '../question.ts';
import * as filing from '../questions/filing.ts';
import * as inbox from '../questions/inbox.ts';
import * as jobs from '../questions/jobs.ts';
import * as messages from '../questions/messages.ts';
import * as nonces from '../questions/nonces.ts';
import * as records from '../questions/records.ts';
import * as registry from '../questions/registry.ts';
import * as resolving from '../questions/resolving.ts';
import * as routing from '../questions/routing.ts';

// What PostgreSQL says otherwise than the questions are written. Two things run through all of it. Transactions run side
// by side, so a row that a decision rests on is locked when it is read. And there are no messages yet to be filed: the
// tables keep their indexes as they go.

/** The channel on which nodes tell each other that the registry has a new version. */
export const registryChannel = 'openmesh_registry';

/** The state, locked; its key is the message's id, for there is no number. */
export const stateColumns = `message_id as "messageNo", state, recipient, position, workflow_id as "workflowId",
   payload_id as "payloadId", expires_at_ms as "expiresAtMs", octet_length(events) as "eventBytes"`;

const said: ReadonlyMap<string, string> = new Map([
  [messages.readState.name, `select ${stateColumns} from message where message_id = $1 for update`],
  // What is being uploaded has its payload under its own id: said so, that only its day is looked at.
  [messages.readUpload.name, `${messages.readUpload.sql} and p.payload_id = $1 for update of m, p`],
  [messages.acknowledgeMessage.name, messages.acknowledgeMessage.sql.replace('message_no = $1', 'message_id = $1')],
  [
    jobs.listStalledUploads.name,
    `select message_id as "messageId" from message
     where unfinished is not null and created_at_ms <= $1 and unfinished = 1 order by created_at_ms limit $2 + 0`,
  ],
  [
    resolving.listRouting.name,
    resolving.listRouting.sql.replace("state = 'routing'", 'unfinished = 2 and unfinished is not null'),
  ],
  // Of a day that will be dropped whole, nothing is removed by itself.
  [
    jobs.listRemovable.name,
    jobs.listRemovable.sql.replace('from message', 'from message_other').concat(' for update skip locked'),
  ],
  [
    registry.raiseVersion.name,
    `with raised as (${registry.raiseVersion.sql})
     select version, pg_notify('${registryChannel}', version::text) from raised`,
  ],
  [
    nonces.sweepNonces.name,
    `delete from nonce where (mailbox_id, nonce) in
       (select mailbox_id, nonce from nonce where expires_at_ms <= $1 limit $2 + 0)`,
  ],
]);

/** Questions about messages that are not filed yet: the answer is none. */
const unasked: ReadonlySet<string> = new Set(
  [
    records.findNewByLocalKey,
    records.richNewInbox,
    records.richNewOutbox,
    routing.listNewTrafficFrom,
    routing.listNewTrafficTo,
    filing.lowerFiling,
  ].map(({ name }) => name),
);

export function isUnasked(question: Question<object>): boolean {
  return unasked.has(question.name);
}

/** The question in PostgreSQL's words. */
export function sayInPostgres({ name, sql }: Question<object>): string {
  return said.get(name) ?? sql.replace('m.filed = 1', 'true').replaceAll(/\$\d+(?= is null)/g, '$&::text');
}

/** What is answered from a mailbox's counter, which a batch keeps until it ends. */
export const counterQuestions = {
  next: inbox.nextPosition.name,
  in: inbox.countIn.name,
  out: inbox.countOut.name,
} as const;

/** Both dialects know no other values; the driver knows only its own kind of bytes. */
export function toParam(value: SqlValue): string | number | null | Buffer {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value;
}
