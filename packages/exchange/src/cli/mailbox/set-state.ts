import type { MailboxId } from '@openmesh/protocol';
import type { Entry } from '../../mailbox/import/entry.ts';
import type { MailboxRecord, RegistryRecords } from '../../store/ledger/registry.ts';
import { entryOf, type OpenForAdmin, type Surroundings, withSession } from '../admin-session.ts';
import { applyEntries } from '../change-registry.ts';
import { type Command, exitCodes } from '../command.ts';
import { CommandRefusal, defineCommand } from '../define-command.ts';
import { printJson } from '../print.ts';
import { readMailboxId } from '../read-options.ts';

/** The mailbox's record. Throws a refusal (1) that says how to find the right id. */
export function findMailbox({ mailboxes }: RegistryRecords, mailboxId: MailboxId): MailboxRecord {
  const found = mailboxes.find((row) => row.mailboxId === mailboxId);
  if (found !== undefined) return found;
  throw new CommandRefusal(exitCodes.failed, `no mailbox ${mailboxId}; "mailbox list" shows those there are`);
}

const words = {
  disable: {
    state: 'disabled',
    did: 'disabled',
    summary: 'keep a mailbox from sending, receiving and collecting',
    about: [
      'Refuses requests of the mailbox and messages to it from the next reload of a running server on (seconds). What is',
      'in its inbox stays there and expires as ever. Disabling it again changes nothing.',
    ].join('\n'),
  },
  enable: {
    state: 'active',
    did: 'active',
    summary: 'let a disabled mailbox work again',
    about: 'Undoes "mailbox disable". A closed mailbox stays closed. Enabling it again changes nothing.',
  },
} as const;

/** `mailbox disable` and `mailbox enable`. */
export function createMailboxSetState(verb: keyof typeof words, open: OpenForAdmin, world: Surroundings): Command {
  const { state, did, summary, about } = words[verb];
  return defineCommand({
    path: `mailbox ${verb}`,
    summary,
    about,
    positionals: ['MAILBOX'],
    options: {},
    exits: {
      failed: 'there is no such mailbox, or it is closed',
      badInput: 'not a mailbox id',
      unavailable: 'the ledger is away or full',
      config: 'the settings are not good',
    },
    async run({ positionals, json }, io) {
      const mailboxId = readMailboxId(positionals[0] ?? '');
      const entriesFor = (records: RegistryRecords): readonly Entry[] => {
        if (findMailbox(records, mailboxId).state !== 'closed') return [entryOf({ kind: 'mailbox', mailboxId, state })];
        const say = `mailbox ${mailboxId} is closed for good; an import line with "state" opens it again`;
        throw new CommandRefusal(exitCodes.failed, say);
      };
      const { version, rowsChanged } = await withSession(open, io, (session) => {
        const audit = { atMs: world.now(), actor: world.actor(), action: `mailbox.${verb}`, subject: mailboxId };
        return applyEntries(session, entriesFor, () => ({ ...audit, detail: '{}' }));
      });
      if (json) printJson(io, { mailboxId, state, changed: rowsChanged > 0, version });
      else io.stdout(`${mailboxId} is ${rowsChanged > 0 ? 'now' : 'already'} ${did}\n`);
      return exitCodes.ok;
    },
  });
}
