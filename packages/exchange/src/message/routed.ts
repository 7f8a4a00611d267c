import type { MailboxId, MessageId } from '@openmesh/protocol';
import type { RouteDelivery } from '../mailbox/routing/decide-route.ts';
import type { NewMessage } from '../store/ledger/messages.ts';
import type { RouteStep, RoutingFacts } from '../store/ledger/routing-records.ts';
import { type PrivateTexts, sealTexts, type TextSealer } from './private-texts.ts';

/** What rules make of a message, to be committed with it. */
export interface RoutedMessage {
  readonly recipient: MailboxId;
  readonly routing: RoutingFacts;
  readonly copies: readonly NewMessage[];
}

interface RoutingParts {
  readonly sealer: TextSealer;
  readonly newMessageId: () => MessageId;
}

/** The message as it would be without rules. */
type Original = Omit<NewMessage, 'events' | 'routing'>;

/**
 * The recipient, the copies and the record of what rules did; undefined when no rule matched. A copy is a message of its
 * own with a new id, in the words of the original and pointing to the same payload, so that its size costs nothing. Its
 * sender cannot find it: it has no local id to be looked up by, and tracking passes copies over.
 */
export function routeByRules(
  { sealer, newMessageId }: RoutingParts,
  decision: Pick<RouteDelivery, 'addressed' | 'mailbox' | 'copies' | 'steps'>,
  original: Original,
  texts: PrivateTexts,
): RoutedMessage | undefined {
  const { addressed, mailbox, steps } = decision;
  if (steps.length === 0) return undefined;
  const atMs = original.createdAtMs;
  const named: RouteStep[] = [...steps];
  const copies = decision.copies.map(({ mailbox: target, stepIndex }): NewMessage => {
    const copyId = newMessageId();
    const step = named[stepIndex];
    if (step === undefined) throw new Error('a copy was decided without a rule');
    named[stepIndex] = { ...step, copyId };
    const rule = `rule ${step.ruleId} version ${step.ruleVersion}`;
    return {
      ...original,
      messageId: copyId,
      recipient: target.mailboxId,
      sealed: sealTexts(sealer, copyId, texts),
      localKey: null,
      events: [{ atMs, actor: 'exchange', kind: 'copied-from', detail: `${original.messageId} by ${rule}` }],
      routing: {
        addressedTo: addressed.mailboxId,
        made: { as: 'copy', from: original.messageId, origin: original.messageId },
        steps: [],
      },
    };
  });
  const addressedTo = mailbox === addressed ? null : addressed.mailboxId;
  return { recipient: mailbox.mailboxId, routing: { addressedTo, made: null, steps: named }, copies };
}
