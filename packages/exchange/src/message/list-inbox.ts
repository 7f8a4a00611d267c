import type { MailboxId, WorkflowFilter } from '@openmesh/protocol';
import type { InboxPage } from '../store/ledger/message-records.ts';
import type { MessageLedger } from '../store/ledger/messages.ts';
import type { NonceClaim, NonceUsed } from '../store/ledger/nonces.ts';
import type { CollectionNotes } from './collection.ts';
import type { ServiceClock } from './service-clock.ts';

/** A filtered page looks at no more entries than this; what is left is behind `nextAfter`. */
export const examineMax = 5000;

export interface ListRequest {
  readonly mailbox: MailboxId;
  /** Position after which the page begins; 0 for the first. */
  readonly afterPosition: number;
  readonly limit: number;
  readonly filter: WorkflowFilter | null;
  readonly nonce: NonceClaim | null;
}

/** One bounded page of what waits, oldest first; no body is touched. */
export function createListInbox(parts: {
  readonly ledger: Pick<MessageLedger, 'inboxPage' | 'collectPage'>;
  readonly collection: CollectionNotes;
  readonly clock: ServiceClock;
}): (request: ListRequest) => Promise<({ readonly kind: 'page' } & InboxPage) | NonceUsed> {
  return async (request) => {
    const { nonce, ...asked } = request;
    const query = { ...asked, examineMax };
    const page =
      nonce === null
        ? { kind: 'page' as const, ...(await parts.ledger.inboxPage(query)) }
        : await parts.ledger.collectPage(query, nonce);
    if (page.kind === 'page' && page.entries.length > 0) {
      const messageIds = page.entries.map((entry) => entry.messageId);
      parts.collection.listed(request.mailbox, messageIds, parts.clock.nowMs());
    }
    return page;
  };
}
