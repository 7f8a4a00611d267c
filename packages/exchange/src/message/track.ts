import type { MailboxId, MessageId } from '@openmesh/protocol';
import type { MessageRecord, TimelineEvent } from '../store/ledger/message-records.ts';
import type { MessageLedger } from '../store/ledger/messages.ts';
import { localKeys, type PrivateTexts, readableTexts, type TextSealer } from './private-texts.ts';
import { type Refused, refuse } from './refused.ts';
import type { ServiceClock } from './service-clock.ts';

export interface Tracked {
  readonly kind: 'found';
  readonly message: MessageRecord;
  readonly texts: PrivateTexts;
}

export interface TrackParts {
  readonly ledger: Pick<MessageLedger, 'find' | 'findByLocalKey' | 'timeline'>;
  readonly sealer: TextSealer;
  readonly clock: ServiceClock;
}

export interface Track {
  /** Only its sender may track a message: another's is as unknown as one that never was, and so is a copy of it. */
  byMessageId(sender: MailboxId, messageId: MessageId): Promise<Tracked | Refused>;
  byLocalId(sender: MailboxId, localId: string): Promise<Tracked | Refused>;
  /** What happened to the message, oldest first, facts of collection included. */
  timeline(message: MessageRecord): Promise<readonly TimelineEvent[]>;
}

/** Reads only. */
export function createTrack({ ledger, sealer, clock }: TrackParts): Track {
  const found = (message: MessageRecord): Tracked => ({
    kind: 'found',
    message,
    texts: readableTexts(sealer, message.messageId, message.sealed),
  });
  return {
    async byMessageId(sender, messageId) {
      const message = await ledger.find(messageId);
      const isTheirs = message !== null && message.sender === sender && message.madeAs !== 'copy';
      if (!isTheirs || message.hideAtMs <= clock.nowMs())
        return refuse('not-found', 'no message of this sender has that id');
      return found(message);
    },
    async byLocalId(sender, localId) {
      const matches = new Map<MessageId, MessageRecord>();
      for (const key of localKeys(sealer, sender, localId)) {
        const messages = await ledger.findByLocalKey(sender, key, clock.nowMs());
        for (const message of messages) matches.set(message.messageId, message);
      }
      const [only] = matches.values();
      if (only === undefined) return refuse('not-found', 'no message of this sender has that local id');
      return matches.size > 1 ? refuse('multiple-choices', 'the local id is not unique') : found(only);
    },
    async timeline(message) {
      const events = await ledger.timeline(message.messageId);
      return [...events, ...collectionEvents(message)].sort((a, b) => a.atMs - b.atMs);
    },
  };
}

function collectionEvents(message: MessageRecord): TimelineEvent[] {
  const actor = message.recipient ?? '';
  const events: TimelineEvent[] = [];
  const push = (atMs: number | null, kind: string, detail: string): void => {
    if (atMs !== null) events.push({ eventNo: 0, atMs, actor, kind, detail });
  };
  push(message.firstListedAtMs, 'first-listed', '');
  push(message.firstDownloadAtMs, 'first-downloaded', '');
  if (message.downloads > 1) push(message.lastDownloadAtMs, 'last-downloaded', `${message.downloads} downloads`);
  return events;
}
