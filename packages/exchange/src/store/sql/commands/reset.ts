import type { MailboxId } from '@openmesh/protocol';
import type { BodyRef } from '../../bodies.ts';
import { all, run, type Talk } from '../question.ts';
import { lowerFiling } from '../questions/filing.ts';
import { dropChunks, listPayloadBodies } from '../questions/jobs.ts';
import * as q from '../questions/reset.ts';
import { dropRecord } from './jobs.ts';

/** The sandbox's clean slate: returns the bodies that no row names any more. */
export function* reset(mailboxes: readonly MailboxId[] | 'all'): Talk<readonly BodyRef[]> {
  if (mailboxes === 'all') {
    const bodies = yield* all(q.listAllBodies);
    for (const statement of q.emptyTables) yield* run(statement);
    yield* run(lowerFiling);
    return bodies.map((body) => body.ref as BodyRef);
  }
  for (const mailbox of mailboxes) {
    for (const { messageId, recipient, position } of yield* all(q.listMailboxMessages, mailbox)) {
      yield* dropRecord(messageId, recipient, position);
    }
    yield* run(q.forgetKeys, mailbox);
  }
  yield* run(lowerFiling);
  // A payload goes with the last message that points to it, which may be another mailbox's.
  const refs: BodyRef[] = [];
  for (const { payloadId } of yield* all(q.listUnnamedPayloads)) {
    for (const body of yield* all(listPayloadBodies, payloadId)) refs.push(body.ref as BodyRef);
    yield* run(dropChunks, payloadId);
    yield* run(q.dropPayload, payloadId);
  }
  return refs;
}
