import { countBody } from '@openmesh/protocol';
import type { MessageLedger } from '../../store/ledger/messages.ts';
import { type ReadingOperation, reply } from './request.ts';

/** `GET /messageexchange/{mailbox}/count`: deprecated, and still used. */
export function countInbox(ledger: Pick<MessageLedger, 'waitingCount'>, newInternalId: () => string): ReadingOperation {
  return {
    name: 'count-inbox',
    access: 'token',
    commitsNonce: false,
    async handle({ mailbox, version }) {
      return reply(countBody(await ledger.waitingCount(mailbox), newInternalId(), version));
    },
  };
}
