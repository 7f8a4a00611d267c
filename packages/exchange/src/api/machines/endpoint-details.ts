import type { Endpoint } from '@openmesh/protocol';
import { parseOdsCode } from '../../mailbox/directory/ods-code.ts';
import type { DirectoryLedger } from '../../store/ledger/directory.ts';
import type { MailboxRecord } from '../../store/ledger/registry.ts';

/** Organisations of one answer that are looked up in the directory; those of further mailboxes are not told. */
const organisationsMax = 200;

/**
 * What a caller who asks for `details=true` is told of each mailbox beside its id and name. It may take chunks, its
 * organisation may have closed: both matter to whoever is about to send.
 */
export async function withDetails(
  mailboxes: readonly MailboxRecord[],
  directory: Pick<DirectoryLedger, 'find'>,
): Promise<readonly Endpoint[]> {
  const codes = [...new Set(mailboxes.map(({ odsCode }) => parseOdsCode(odsCode)))];
  const known = new Map<string, Awaited<ReturnType<DirectoryLedger['find']>>>();
  for (const code of codes.slice(0, organisationsMax)) {
    if (code !== undefined) known.set(code, await directory.find(code));
  }
  return mailboxes.map(({ mailboxId, name, odsCode, state, receivesChunked }) => {
    const found = known.get(odsCode.toUpperCase());
    const successors = found?.links.filter(({ kind, active }) => kind === 'succession' && active) ?? [];
    return {
      mailboxId,
      mailboxName: name,
      details: {
        odsCode,
        active: state === 'active',
        receivesChunked,
        organisationName: found?.organisation.name,
        organisationActive: found?.organisation.active,
        successors: successors.map(({ target }) => target),
      },
    };
  });
}
