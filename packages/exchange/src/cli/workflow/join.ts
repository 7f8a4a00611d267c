import { entryOf, type OpenForAdmin, type Surroundings, withSession } from '../admin-session.ts';
import { applyEntries } from '../change-registry.ts';
import { type Command, exitCodes } from '../command.ts';
import { CommandRefusal, defineCommand } from '../define-command.ts';
import { plain, printJson } from '../print.ts';
import { readMailboxId, readWord } from '../read-options.ts';

const options = {
  part: {
    value: 'initiator|responder',
    says: 'initiators send the initiator ids and receive the responder ids (needed)',
  },
  approval: { value: 'APPROVAL', says: 'the approval it rests on' },
  from: { value: 'DATE', says: 'valid from then on (default: always)' },
  to: { value: 'DATE', says: 'valid until then (default: without end)' },
  remove: { says: 'take it away' },
} as const;

/** `workflow join`: a mailbox's part in a group. */
export function createWorkflowJoin(open: OpenForAdmin, world: Surroundings): Command {
  return defineCommand({
    path: 'workflow join',
    summary: 'register a mailbox for a group of workflows, or take that away',
    about: [
      'Registers MAILBOX as initiator or responder of GROUP, and by it for every workflow of the group: an initiator sends',
      'the initiator ids and receives the responder ids, a responder the other way round. Doing it again changes nothing.',
    ].join('\n'),
    positionals: ['GROUP', 'MAILBOX'],
    options,
    exits: {
      badInput: 'a value is not acceptable, or group or mailbox is unknown',
      unavailable: 'the ledger is away or full',
      config: 'the settings are not good',
    },
    async run({ positionals, options: given, json }, io) {
      const part = readWord('part', given.part, ['initiator', 'responder']);
      if (part === undefined) throw new CommandRefusal(exitCodes.usage, '--part is needed: initiator or responder');
      const key = { groupId: positionals[0] ?? '', mailboxId: readMailboxId(positionals[1] ?? ''), part };
      const remove = given.remove !== undefined;
      const { approval: approvalId, from: validFrom, to: validTo } = given;
      const outcome = await withSession(open, io, (session) => {
        const detail = JSON.stringify({ groupId: key.groupId, part, approvalId, validFrom, validTo });
        const action = remove ? 'workflow.leave' : 'workflow.join';
        const audit = { atMs: world.now(), actor: world.actor(), action, subject: key.mailboxId, detail };
        if (remove) return session.ledger.registry.change({ dropMemberships: [key], audit });
        const entry = entryOf({ kind: 'membership', ...key, approvalId, validFrom, validTo });
        return applyEntries(
          session,
          () => [entry],
          () => audit,
        );
      });
      const changed = outcome.rowsChanged > 0;
      if (json) printJson(io, { ...key, registered: !remove, changed, version: outcome.version });
      else {
        const state = `${changed ? 'now' : 'already'} ${remove ? 'not ' : ''}${part}`;
        io.stdout(`${key.mailboxId} is ${state} of ${plain(key.groupId)}\n`);
      }
      return exitCodes.ok;
    },
  });
}
