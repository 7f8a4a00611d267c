import { mailboxBody, parseMailboxId } from '@openmesh/protocol';
import type { RegistrySnapshot } from '../../mailbox/snapshot.ts';
import { refuse } from '../../message/refused.ts';
import { type OpenOperation, reply } from '../machines/request.ts';

/** `GET …/admin/mailbox/{mailbox}` and `/messageexchange/mailbox/{mailbox}`. */
export function mailboxDetails({ registry }: { readonly registry: { current(): RegistrySnapshot } }): OpenOperation {
  return {
    name: 'mailbox-details',
    access: 'open',
    handle({ params }) {
      const mailboxId = parseMailboxId(params[0] ?? '');
      const found = mailboxId === undefined ? undefined : registry.current().mailbox(mailboxId);
      if (found === undefined) return Promise.resolve(refuse('mailbox-does-not-exist', 'no mailbox has that id'));
      const { name: mailboxName, state, ...record } = found;
      return Promise.resolve(reply(mailboxBody({ ...record, mailboxName, active: state === 'active' })));
    },
  };
}
