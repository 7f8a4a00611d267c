import type { MessageId } from '@openmesh/protocol';
import type { MessageLedger } from '../store/ledger/messages.ts';
import { localKeys, openTexts, sealTexts, type TextSealer } from './private-texts.ts';
import { type LifeSpans, lifeDates, type ServiceClock } from './service-clock.ts';

export interface DuplicateParts {
  readonly ledger: Pick<MessageLedger, 'find' | 'accept'>;
  readonly sealer: TextSealer;
  readonly clock: ServiceClock;
  readonly newMessageId: () => MessageId;
  readonly spans: LifeSpans;
}

/**
 * Delivers a waiting message a second time under a new id; both point to the same payload. Resolves to the new id, or
 * undefined when the message does not wait in an inbox.
 */
export function createDuplicate(parts: DuplicateParts): (messageId: MessageId) => Promise<MessageId | undefined> {
  const { ledger, sealer, clock, spans } = parts;
  return async (messageId) => {
    const original = await ledger.find(messageId);
    if (original === null || original.state !== 'accepted') return undefined;
    const copyId = parts.newMessageId();
    const atMs = clock.nowMs();
    const { expiresAtMs, hideAtMs, removeAtMs } = lifeDates(atMs, spans);
    const texts = openTexts(sealer, messageId, original.sealed);
    const { sender, statusCode: code, statusEvent: event, statusDescription: description } = original;
    const keys = sender === null || texts.localId === undefined ? [] : localKeys(sealer, sender, texts.localId);
    await ledger.accept({
      nonce: null,
      idempotency: null,
      registryVersion: null,
      payload: null,
      messages: [
        {
          messageId: copyId,
          messageType: original.messageType,
          sender,
          recipient: original.recipient,
          workflowId: original.workflowId,
          payloadId: original.payloadId,
          state: 'accepted',
          status: { code, event, description },
          compressed: original.compressed,
          encrypted: original.encrypted,
          sealed: sealTexts(sealer, copyId, texts),
          localKey: keys[0] ?? null,
          linkedMessageId: original.linkedMessageId,
          createdAtMs: atMs,
          expiresAtMs,
          hideAtMs,
          removeAtMs,
          events: [{ atMs, actor: 'exchange', kind: 'duplicated', detail: messageId }],
          routing: {
            addressedTo: original.addressedTo,
            made: { as: original.madeAs ?? 'resend', from: messageId, origin: original.originId ?? messageId },
            steps: [],
          },
        },
      ],
    });
    return copyId;
  };
}
