import {
  type Profile,
  parseMessageId,
  parseRichInboxQuery,
  parseRichOutboxQuery,
  type RichMessage,
  richBody,
  richLinks,
  unreadableContinueFrom,
} from '@openmesh/protocol';
import type { RegistrySnapshot } from '../../mailbox/snapshot.ts';
import { wireStatus } from '../../message/lifecycle.ts';
import { readableTexts, type TextSealer } from '../../message/private-texts.ts';
import type { RichEntry } from '../../store/ledger/message-records.ts';
import type { MessageLedger } from '../../store/ledger/messages.ts';
import { partyOf } from './parties.ts';
import { type ReadingOperation, refuseAs, reply } from './request.ts';

interface RichParts {
  readonly ledger: Pick<MessageLedger, 'rich'>;
  readonly registry: { current(): RegistrySnapshot };
  readonly sealer: TextSealer;
  readonly clock: { nowMs(): number };
  readonly profile: Profile;
}

/** `GET …/inbox/rich` and `…/outbox/rich`: every state, newest first, for people's screens. */
export function richListing(box: 'inbox' | 'outbox', parts: RichParts): ReadingOperation {
  const { ledger, registry, sealer, clock, profile } = parts;
  return {
    name: box === 'inbox' ? 'rich-inbox' : 'rich-outbox',
    access: 'token',
    commitsNonce: false,
    async handle({ mailbox, query }) {
      const nowMs = clock.nowMs();
      const reading = box === 'inbox' ? parseRichInboxQuery(query, nowMs) : parseRichOutboxQuery(query, nowMs);
      if (!reading.ok) return refuseAs(reading.failure, 'the query of the listing was refused');
      const { startMs: sinceMs, startText, maxResults, continueFrom } = reading.query;
      const beforeMessageId = continueFrom === undefined ? null : parseMessageId(continueFrom);
      if (beforeMessageId === undefined)
        return refuseAs(unreadableContinueFrom(continueFrom ?? ''), 'continue_from is no token of this listing');
      const limit = maxResults + 1;
      const entries = await ledger.rich({ box, mailbox, sinceMs, nowMs, beforeMessageId, limit });
      const page = entries.slice(0, maxResults);
      const nextToken = entries.length > maxResults ? page.at(-1)?.messageId : undefined;
      const snapshot = registry.current();
      const messages = page.map((entry) => toRichMessage(entry, snapshot, sealer));
      const links = richLinks({ mailboxId: mailbox, box, startText, maxResults, nextToken });
      return reply(richBody({ box, validAt: nowMs, messages, links }, profile));
    },
  };
}

function toRichMessage(entry: RichEntry, snapshot: RegistrySnapshot, sealer: TextSealer): RichMessage {
  const sender = partyOf(snapshot, entry.sender);
  const recipient = partyOf(snapshot, entry.recipient);
  const failed = entry.state === 'error' || entry.state === 'undeliverable';
  return {
    messageId: entry.messageId,
    type: entry.messageType,
    status: wireStatus(entry.state),
    statusCode: failed || entry.messageType === 'REPORT' ? entry.statusCode : undefined,
    workflowId: entry.workflowId,
    localId: readableTexts(sealer, entry.messageId, entry.sealed).localId,
    sender: sender.mailboxId,
    senderName: sender.mailboxName,
    recipient: recipient.mailboxId,
    recipientName: recipient.mailboxName,
    sentAt: entry.createdAtMs,
    expiresAt: entry.expiresAtMs ?? undefined,
    totalChunks: entry.totalChunks,
  };
}
