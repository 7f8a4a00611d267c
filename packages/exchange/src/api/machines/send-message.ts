import {
  idempotencyKeyMemoryMs,
  invalidValue,
  type Profile,
  parseIdempotencyKey,
  parseSendHeaders,
  sendBody,
} from '@openmesh/protocol';
import type { SendOutcome, SendRequest } from '../../message/send.ts';
import { type CommittingOperation, refuseAs, reply } from './request.ts';

/** `POST /messageexchange/{mailbox}/outbox`: a message, or its first chunk. */
export function sendMessage(
  send: (request: SendRequest) => Promise<SendOutcome>,
  options: { readonly profile: Profile; readonly machineClock: { nowMs(): number } },
): CommittingOperation {
  return {
    name: 'send-message',
    access: 'token',
    commitsNonce: true,
    async handle({ mailbox: sender, header, version, nonce, body }) {
      const reading = parseSendHeaders(header, { sender, profile: options.profile });
      if (!reading.ok) return refuseAs(reading.failure, 'the headers of the message were refused');
      const rawKey = header('idempotency-key');
      const key = rawKey === undefined ? undefined : parseIdempotencyKey(rawKey);
      if (rawKey !== undefined && key === undefined) {
        const details = [invalidValue(['header', 'idempotency-key'], '1 to 64 visible ASCII characters')];
        return refuseAs({ kind: 'validation', details }, 'the idempotency key is malformed');
      }
      const expiresAtMs = options.machineClock.nowMs() + idempotencyKeyMemoryMs;
      const idempotencyKey = key === undefined ? null : { key, expiresAtMs };
      const outcome = await send({ sender, headers: reading.send, body, nonce, idempotencyKey });
      if (outcome.kind !== 'accepted') return outcome;
      const answer = reply(sendBody(outcome.messageId, version), outcome.messageId);
      if (outcome.warning === undefined) return answer;
      return { ...answer, headers: [...answer.headers, ['openmesh-warning', outcome.warning]] };
    },
  };
}
