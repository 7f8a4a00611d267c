import type { MailboxId } from '@openmesh/protocol';
import type { BodyRef } from '../../bodies.ts';
import { all, run, type Talk } from '../question.ts';
import { dropChunks, dropDelivery, dropEvents, dropMessage } from '../questions/jobs.ts';
import * as q from '../questions/reset.ts';

/** The sandbox's clean slate: returns the bodies that no row names any more. */
export function* reset(mailboxes: readonly MailboxId[] | 'all'): Talk<readonly BodyRef[]> {
  if (mailboxes === 'all') {
    const bodies = yield* all(q.listAllBodies);
    for (const statement of q.emptyTables) yield* run(statement);
    return bodies.map((body) => body.ref as BodyRef);
  }
  const refs: BodyRef[] = [];
  for (const mailbox of mailboxes) {
    for (const body of yield* all(q.listRecipientBodies, mailbox)) refs.push(body.ref as BodyRef);
    for (const { messageId, recipient, payloadId } of yield* all(q.listMailboxMessages, mailbox)) {
      yield* run(dropEvents, messageId);
      if (recipient !== null) yield* run(dropDelivery, recipient, messageId);
      if (payloadId !== null) {
        yield* run(dropChunks, payloadId);
        yield* run(q.dropPayload, payloadId);
      }
      yield* run(dropMessage, messageId);
    }
  }
  yield* run(q.recount);
  return refs;
}
