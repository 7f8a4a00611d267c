import { acknowledgeBody, parseMessageId } from '@openmesh/protocol';
import type { AcknowledgeRequest } from '../../message/acknowledge.ts';
import { type NotDone, refuse } from '../../message/refused.ts';
import { type CommittingOperation, reply } from './request.ts';

/** `PUT /messageexchange/{mailbox}/inbox/{id}/status/acknowledged`; a body is ignored. */
export function acknowledge(
  take: (request: AcknowledgeRequest) => Promise<{ readonly kind: 'acknowledged' } | NotDone>,
): CommittingOperation {
  return {
    name: 'acknowledge',
    access: 'token',
    commitsNonce: true,
    async handle({ mailbox, params, version, nonce }) {
      const messageId = parseMessageId(params[0] ?? '');
      if (messageId === undefined) return refuse('message-does-not-exist', 'the path has no message id');
      const outcome = await take({ mailbox, messageId, nonce });
      return outcome.kind === 'acknowledged' ? reply(acknowledgeBody(messageId, version), messageId) : outcome;
    },
  };
}
