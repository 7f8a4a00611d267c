import {
  inboxListBody,
  type MailboxId,
  parseInboxQuery,
  parseMessageId,
  unreadableContinueFrom,
} from '@openmesh/protocol';
import type { ListRequest } from '../../message/list-inbox.ts';
import type { InboxPage } from '../../store/ledger/message-records.ts';
import type { MessageLedger } from '../../store/ledger/messages.ts';
import type { NonceUsed } from '../../store/ledger/nonces.ts';
import { type CommittingOperation, refuseAs, reply } from './request.ts';

// A page token holds the position, not an offset: a message acknowledged meanwhile moves nothing.
const tokenPattern = /^openmesh-(\d{16})$/;

export function pageToken(position: number): string {
  return `openmesh-${String(position).padStart(16, '0')}`;
}

/** `GET /messageexchange/{mailbox}/inbox`: a page of what waits, oldest first. */
export function checkInbox(
  listInbox: (request: ListRequest) => Promise<({ readonly kind: 'page' } & InboxPage) | NonceUsed>,
  ledger: Pick<MessageLedger, 'positionOf'>,
): CommittingOperation {
  return {
    name: 'check-inbox',
    access: 'token',
    commitsNonce: true,
    async handle({ mailbox, query, version, nonce }) {
      const reading = parseInboxQuery(query);
      if (!reading.ok) return refuseAs(reading.failure, 'the query of the listing was refused');
      const { maxResults, continueFrom, workflowFilter, workflowFilterText } = reading.query;
      const afterPosition = continueFrom === undefined ? 0 : await positionAfter(ledger, mailbox, continueFrom);
      if (afterPosition === null)
        return refuseAs(unreadableContinueFrom(continueFrom ?? ''), 'continue_from is no token of this inbox');
      const filter = workflowFilter ?? null;
      const page = await listInbox({ mailbox, afterPosition, limit: maxResults, filter, nonce });
      if (page.kind === 'nonce-used') return page;
      const view = {
        mailboxId: mailbox,
        messages: page.entries.map((entry) => entry.messageId),
        maxResults,
        workflowFilterText,
        nextToken: page.nextAfter === null ? undefined : pageToken(page.nextAfter),
        approximateCount: page.waiting,
      };
      return reply(inboxListBody(view, version));
    },
  };
}

/** Version 2 hands out tokens; version 1 continues from the last message id it has seen. Either is taken in both. */
async function positionAfter(
  ledger: Pick<MessageLedger, 'positionOf'>,
  mailbox: MailboxId,
  continueFrom: string,
): Promise<number | null> {
  const token = tokenPattern.exec(continueFrom);
  if (token?.[1] !== undefined) return Number(token[1]);
  const messageId = parseMessageId(continueFrom);
  return messageId === undefined ? null : ledger.positionOf(mailbox, messageId);
}
