import { handshakeBody, parseHandshakeHeaders } from '@openmesh/protocol';
import type { RegistryLedger } from '../../store/ledger/registry.ts';
import { type CommittingOperation, type ReadingOperation, refuseAs, reply } from './request.ts';

/** Says that a first POST may carry an `Idempotency-Key`; a client that does not know it never looks. */
const idempotencyOffer = ['openmesh-idempotency-key', 'accepted'] as const;

/** `GET` or `POST /messageexchange/{mailbox}`: validates the mailbox and notes who connected. */
export function handshake(
  registry: Pick<RegistryLedger, 'recordConnection'>,
  clock: { nowMs(): number },
): CommittingOperation {
  return {
    name: 'handshake',
    access: 'token',
    commitsNonce: true,
    async handle({ mailbox, header, version, nonce }) {
      const reading = parseHandshakeHeaders(header);
      if (!reading.ok) return refuseAs(reading.failure, 'a required handshake header is missing');
      const { clientVersion, osName, osVersion, osArchitecture, javaVersion, userAgent } = reading.handshake;
      const optional = {
        osArchitecture: osArchitecture ?? '',
        javaVersion: javaVersion ?? '',
        userAgent: userAgent ?? '',
      };
      const facts = { mailbox, atMs: clock.nowMs(), clientVersion, osName, osVersion, ...optional };
      const outcome = await registry.recordConnection(facts, nonce);
      if (outcome.kind === 'nonce-used') return outcome;
      const answer = reply(handshakeBody(mailbox, version));
      return { ...answer, headers: [...answer.headers, idempotencyOffer] };
    },
  };
}

/** `POST /messageexchange/{mailbox}/update`: the Java client asks for updates; there are none. */
export function clientUpdate(): ReadingOperation {
  const nothing = reply({ status: 200, contentType: undefined, body: '' });
  return { name: 'client-update', access: 'token', commitsNonce: false, handle: () => Promise.resolve(nothing) };
}
