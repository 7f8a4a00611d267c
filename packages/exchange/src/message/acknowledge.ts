import type { MailboxId, MessageId } from '@openmesh/protocol';
import type { MessageLedger } from '../store/ledger/messages.ts';
import type { NonceClaim } from '../store/ledger/nonces.ts';
import type { CollectionNotes } from './collection.ts';
import { type NotDone, refuse } from './refused.ts';
import type { ServiceClock } from './service-clock.ts';

export interface AcknowledgeRequest {
  readonly mailbox: MailboxId;
  readonly messageId: MessageId;
  readonly nonce: NonceClaim | null;
}

/**
 * Takes a message out of the inbox, committed before the answer; again is harmless. Its bytes become eligible for
 * deletion at their date, not before.
 */
export function createAcknowledge(parts: {
  readonly ledger: Pick<MessageLedger, 'acknowledge'>;
  readonly collection: CollectionNotes;
  readonly clock: ServiceClock;
}): (request: AcknowledgeRequest) => Promise<{ readonly kind: 'acknowledged' } | NotDone> {
  return async (request) => {
    const { mailbox, messageId } = request;
    const collection = parts.collection.take(messageId);
    const outcome = await parts.ledger.acknowledge({ ...request, atMs: parts.clock.nowMs(), collection });
    switch (outcome.kind) {
      case 'acknowledged':
      case 'unchanged':
        return { kind: 'acknowledged' };
      case 'not-found':
        return refuse('message-does-not-exist', 'the message is not known', messageId);
      case 'forbidden':
        return refuse('forbidden', `the message is not in the inbox of ${mailbox}`, messageId);
      case 'nonce-used':
        return outcome;
    }
  };
}
