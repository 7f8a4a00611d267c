import type { MessageId } from '@openmesh/protocol';
import type { TimelineEvent } from '../../ledger/message-records.ts';
import type { NewEvent } from '../../ledger/messages.ts';
import { all, one, run, type Talk } from '../question.ts';
import * as q from '../questions/messages.ts';
import { readEvents, readLaterEvents } from '../questions/records.ts';

/** Once a message's own events take so many bytes of its row, further ones get rows of their own. */
const inlineBytesMax = 1024;

type EventFields = readonly [atMs: number, actor: string, kind: string, detail: string];

/** An event as a line of the message's row. */
export function eventLine({ atMs, actor, kind, detail }: NewEvent): string {
  const fields: EventFields = [atMs, actor, kind, detail];
  return `${JSON.stringify(fields)}\n`;
}

/** Whether the next event of a message goes into its row; once one did not, none does. */
export function hasRoom(eventBytes: number): boolean {
  return eventBytes < inlineBytesMax;
}

/** Adds an event at the end of the message's timeline; nothing for a message that is not there. */
export function* appendEvent(messageId: string, event: NewEvent): Talk<void> {
  if ((yield* run(q.addInlineEvent, messageId, eventLine(event), inlineBytesMax)) === 1) return;
  yield* run(q.appendEvent, messageId, event.atMs, event.actor, event.kind, event.detail);
}

export function* timeline(messageId: MessageId): Talk<readonly TimelineEvent[]> {
  const message = yield* one(readEvents, messageId);
  if (message === undefined) return [];
  const lines = message.events.split('\n').slice(0, -1);
  const own = lines.map((line) => {
    const [atMs, actor, kind, detail] = JSON.parse(line) as EventFields;
    return { atMs, actor, kind, detail };
  });
  const later = hasRoom(Buffer.byteLength(message.events)) ? [] : yield* all(readLaterEvents, messageId);
  return [...own, ...later].map((event, index) => ({ eventNo: index + 1, ...event }));
}
