import type { MessageMetadata } from '@openmesh/sdk';
import type { OutgoingEntry } from '../journal/journal.ts';
import type { MailboxParts } from '../mailbox/mailbox-parts.ts';

/**
 * What to do with a report of the service, so that one failure is never told twice. A service may both refuse a send in
 * its answer, of which we tell the sender ourselves, and put a report of it into the inbox.
 *
 * - `place`: it tells something new.
 * - `told`: the sender has our own report of the same failure.
 * - `later`: a pair it may be about is still being decided; it stays in the inbox until that is done.
 */
export type ReportChoice = 'place' | 'told' | 'later';

/** How long after a refusal a report of it may come that names a message we never heard of. */
const strayMs = 3_600_000;

export function chooseReport({ journal, mailbox, nowMs }: MailboxParts, metadata: MessageMetadata): ReportChoice {
  const { linkedMessageId, localId, status } = metadata;
  const linked = linkedMessageId === undefined ? undefined : journal.byMessageId(mailbox.id, linkedMessageId);
  if (linked !== undefined) return isOpen(linked) ? 'later' : linked.outcome?.status === 'ERROR' ? 'told' : 'place';
  // The refusal itself may have been lost with its id, when this process was killed between the answer and the journal.
  if (localId === undefined) return mayBeOfUnanswered(journal.open(mailbox.id)) ? 'later' : 'place';
  const named = journal.byLocalId(mailbox.id, localId);
  if (named === undefined) return 'place';
  if (isOpen(named)) return 'later';
  const isRecent = nowMs() - named.changedMs < strayMs;
  const isSame = named.outcome?.status === 'ERROR' && named.outcome.statusCode === status.code;
  return isRecent && isSame ? 'told' : 'place';
}

/** A pair without a reference whose answer has not come may have been refused: its report names nothing we know of it. */
function mayBeOfUnanswered(open: readonly OutgoingEntry[]): boolean {
  return open.some(({ state, localId }) => state === 'sending' && localId === null);
}

/** Held pairs are decided by people, and uploads take days: only what ends by itself is waited for. */
function isOpen({ state }: OutgoingEntry): boolean {
  return state === 'sending' || state === 'accepted' || state === 'refused' || state === 'filing';
}
