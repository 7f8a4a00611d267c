import type { MailboxId, MessageId } from '@openmesh/protocol';
import type { BodyRef } from '../../bodies.ts';
import type { DueDelivery, DuePayload } from '../../ledger/jobs.ts';
import { all, one, run, type Talk } from '../question.ts';
import { lowerFiling } from '../questions/filing.ts';
import { listDue } from '../questions/inbox.ts';
import * as q from '../questions/jobs.ts';
import { sweepNonces as sweepNonceLog } from '../questions/nonces.ts';
import { dropSteps } from '../questions/routing.ts';
import { withdraw } from './write-messages.ts';

export function* lease(command: { name: string; holder: string; nowMs: number; untilMs: number }): Talk<boolean> {
  return (yield* run(q.takeLease, command.name, command.holder, command.nowMs, command.untilMs)) === 1;
}

export function* deliveriesDue(query: { nowMs: number; limit: number }): Talk<readonly DueDelivery[]> {
  const rows = yield* all(listDue, query.nowMs, query.limit);
  return rows.map((row) => ({ mailbox: row.mailbox as MailboxId, messageId: row.messageId as MessageId }));
}

export function* uploadsStalled(query: { beforeMs: number; limit: number }): Talk<readonly MessageId[]> {
  const rows = yield* all(q.listStalledUploads, query.beforeMs, query.limit);
  return rows.map((row) => row.messageId as MessageId);
}

export function* payloadsDue(query: { nowMs: number; limit: number }): Talk<readonly DuePayload[]> {
  const due: DuePayload[] = [];
  for (const { payloadId } of yield* all(q.listDuePayloads, query.nowMs, query.limit)) {
    const bodies = yield* all(q.listPayloadBodies, payloadId);
    due.push({ payloadId, refs: bodies.map((body) => body.ref as BodyRef) });
  }
  return due;
}

export function* forgetPayloads(payloadIds: readonly string[], nowMs: number): Talk<readonly string[]> {
  const forgotten: string[] = [];
  for (const payloadId of payloadIds) {
    if ((yield* run(q.forgetPayload, payloadId, nowMs)) === 0) continue;
    yield* run(q.dropChunks, payloadId);
    forgotten.push(payloadId);
  }
  return forgotten;
}

export function* hideRecords(query: { nowMs: number; limit: number }): Talk<number> {
  return yield* run(q.hideRecords, query.nowMs, query.limit);
}

export function* removeRecords(query: { nowMs: number; limit: number }): Talk<number> {
  const rows = yield* all(q.listRemovable, query.nowMs, query.limit);
  for (const { messageId, recipient, position, payloadId } of rows) {
    yield* dropRecord(messageId, recipient, position);
    if (payloadId !== null) yield* run(q.dropDeletedPayload, payloadId);
  }
  if (rows.length > 0) yield* run(lowerFiling);
  return rows.length;
}

/** Everything of a message but its payload, which others may point to. */
export function* dropRecord(messageId: string, recipient: string | null, position: number | null): Talk<void> {
  yield* run(q.dropEvents, messageId);
  yield* run(dropSteps, messageId);
  yield* withdraw(recipient, position);
  yield* run(q.dropMessage, messageId);
}

export function* sweepNonces(query: { nowMs: number; limit: number }): Talk<number> {
  return yield* run(sweepNonceLog, query.nowMs, query.limit);
}

export function* sweepIdempotencyKeys(query: { nowMs: number; limit: number }): Talk<number> {
  return yield* run(q.sweepIdempotency, query.nowMs, query.limit);
}

export function* sweepRefusals(query: { beforeMs: number; limit: number }): Talk<number> {
  return yield* run(q.sweepRefusals, query.beforeMs, query.limit);
}

export function* referencedBodies(refs: readonly BodyRef[]): Talk<readonly BodyRef[]> {
  const named: BodyRef[] = [];
  for (const ref of refs) {
    if ((yield* one(q.findBodyRef, ref)) !== undefined) named.push(ref);
  }
  return named;
}

/** Written with the schema, of which no later version makes it again. */
export const madeAtKey = 'made-at-ms';

export function* madeAtMs(): Talk<number> {
  const stored = yield* one(q.readMeta, madeAtKey);
  return stored === undefined ? 0 : Number(stored.value);
}

const clockOffsetKey = 'clock-offset-ms';

export function* clockOffset(): Talk<number> {
  const stored = yield* one(q.readMeta, clockOffsetKey);
  return stored === undefined ? 0 : Number(stored.value);
}

export function* setClockOffset(offsetMs: number): Talk<void> {
  yield* run(q.writeMeta, clockOffsetKey, String(offsetMs));
}

/** The meta row's value, set to `value` when it was not there yet. */
export function* claimMeta(key: string, value: string): Talk<string> {
  const stored = yield* one(q.readMeta, key);
  if (stored !== undefined) return stored.value;
  yield* run(q.writeMeta, key, value);
  return value;
}
