import type { MailboxId, Party } from '@openmesh/protocol';
import type { RegistrySnapshot } from '../../mailbox/snapshot.ts';

/** A mailbox as tracking names it; of one the registry no longer knows, only the id is left. */
export function partyOf(snapshot: RegistrySnapshot, mailbox: MailboxId | null): Party {
  const record = mailbox === null ? undefined : snapshot.mailbox(mailbox);
  return {
    mailboxId: mailbox ?? '',
    mailboxName: record?.name ?? (mailbox === null ? centralName : ''),
    odsCode: record?.odsCode ?? '',
    orgCode: record?.orgCode ?? '',
    orgName: record?.orgName ?? '',
  };
}

/** Whom reports are from. */
const centralName = 'Central System Mailbox';
