import type { Entry } from '../../mailbox/import/entry.ts';
import type { RegistryRecords } from '../../store/ledger/registry.ts';
import { entryOf, type OpenForAdmin, type Surroundings, withSession } from '../admin-session.ts';
import { applyEntries } from '../change-registry.ts';
import { type Command, exitCodes } from '../command.ts';
import { CommandRefusal, defineCommand } from '../define-command.ts';
import { printJson } from '../print.ts';
import { readMailboxId } from '../read-options.ts';
import { choosePassword } from './password.ts';

const options = {
  name: { value: 'NAME', says: 'name as others see it (needed)' },
  'ods-code': { value: 'CODE', says: 'code of the organisation (needed)' },
  'org-code': { value: 'CODE', says: 'code of the parent organisation (default: the organisation)' },
  'org-name': { value: 'NAME', says: 'name of the organisation' },
  'billing-entity': { value: 'NAME', says: 'who pays' },
  'certificate-match': {
    value: 'off|warn|enforce',
    says: 'how the client certificate is matched (default: the setting)',
  },
  'delegated-ods-codes': { value: 'A,B', says: 'organisations whose certificates may speak for the mailbox too' },
  'password-stdin': { says: 'read the password from standard input instead of making one' },
} as const;

/** `mailbox add`: a new mailbox with its first password. */
export function createMailboxAdd(open: OpenForAdmin, world: Surroundings): Command {
  return defineCommand({
    path: 'mailbox add',
    summary: 'add a mailbox with its first password',
    about: [
      'Adds a mailbox and prints its password once: it is stored sealed and cannot be shown again. A password is never',
      'taken from the command line, where other users of the machine could read it.',
    ].join('\n'),
    positionals: ['MAILBOX'],
    options,
    exits: {
      failed: 'the mailbox exists',
      badInput: 'a value is not acceptable',
      unavailable: 'the ledger is away or full',
      config: 'the settings are not good',
    },
    async run({ positionals, options: given, json }, io) {
      const mailboxId = readMailboxId(positionals[0] ?? '');
      const { password, generated } = await choosePassword(given['password-stdin'] !== undefined, world);
      const mailbox = entryOf({
        kind: 'mailbox',
        mailboxId,
        name: given.name,
        odsCode: given['ods-code'],
        orgCode: given['org-code'],
        orgName: given['org-name'],
        billingEntity: given['billing-entity'],
        certificateMatch: given['certificate-match'],
        delegatedOdsCodes: given['delegated-ods-codes']?.split(','),
      });
      const credential = entryOf({ kind: 'credential', mailboxId, password });
      const entriesFor = ({ mailboxes }: RegistryRecords): readonly Entry[] => {
        if (!mailboxes.some((row) => row.mailboxId === mailboxId)) return [mailbox, credential];
        const say = `mailbox ${mailboxId} exists; see "mailbox show", "mailbox enable" or "mailbox rotate-password"`;
        throw new CommandRefusal(exitCodes.failed, say);
      };
      const version = await withSession(open, io, async (session) => {
        const audit = { atMs: world.now(), actor: world.actor(), action: 'mailbox.add', subject: mailboxId };
        return (await applyEntries(session, entriesFor, () => ({ ...audit, detail: '{}' }))).version;
      });
      if (json) printJson(io, { mailboxId, version, ...(generated ? { password } : {}) });
      else io.stdout(`added ${mailboxId}\n${generated ? `password (shown this once): ${password}\n` : ''}`);
      return exitCodes.ok;
    },
  });
}
