import { messageDetailsBody, parseMessageId } from '@openmesh/protocol';
import type { RegistrySnapshot } from '../../mailbox/snapshot.ts';
import { openTexts, type TextSealer } from '../../message/private-texts.ts';
import { refuse } from '../../message/refused.ts';
import type { MessageLedger } from '../../store/ledger/messages.ts';
import { type OpenOperation, reply } from '../machines/request.ts';
import { trackingView } from '../machines/track-outbox.ts';

/** `GET …/admin/message/{id}`: everything about a message, for whoever asks. */
export function messageDetails(parts: {
  readonly ledger: Pick<MessageLedger, 'find'>;
  readonly registry: { current(): RegistrySnapshot };
  readonly sealer: TextSealer;
  readonly clock: { nowMs(): number };
}): OpenOperation {
  return {
    name: 'admin',
    access: 'open',
    async handle({ params }) {
      const messageId = parseMessageId(params[0] ?? '');
      const message = messageId === undefined ? null : await parts.ledger.find(messageId);
      if (message === null || message.hideAtMs <= parts.clock.nowMs()) {
        return refuse('message-does-not-exist', 'the message is not known', messageId);
      }
      const texts = openTexts(parts.sealer, message.messageId, message.sealed);
      return reply(messageDetailsBody(trackingView({ kind: 'found', message, texts }, parts.registry.current())));
    },
  };
}
