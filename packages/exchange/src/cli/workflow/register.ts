import type { RegistrationRole } from '../../store/ledger/registry.ts';
import { type AdminSession, entryOf, type OpenForAdmin, type Surroundings, withSession } from '../admin-session.ts';
import { applyEntries } from '../change-registry.ts';
import { type Command, exitCodes } from '../command.ts';
import { CommandRefusal, defineCommand } from '../define-command.ts';
import { findMailbox } from '../mailbox/set-state.ts';
import { plain, printJson } from '../print.ts';
import { readMailboxId, readWord } from '../read-options.ts';

const options = {
  role: { value: 'initiator|responder', says: 'initiators send, responders receive (needed)' },
  approval: { value: 'APPROVAL', says: 'the approval it rests on' },
  from: { value: 'DATE', says: 'valid from then on, e.g. 2026-12-01 (default: always)' },
  to: { value: 'DATE', says: 'valid until then (default: without end)' },
  remove: { says: 'take the registration away' },
} as const;

async function change(
  session: AdminSession,
  key: Pick<ReturnType<typeof keyOf>, 'mailboxId' | 'workflowId' | 'role'>,
  dates: {
    readonly approvalId?: string | undefined;
    readonly validFrom?: string | undefined;
    readonly validTo?: string | undefined;
    readonly remove: boolean;
  },
  world: Surroundings,
) {
  const { remove, ...valid } = dates;
  const audit = {
    atMs: world.now(),
    actor: world.actor(),
    action: remove ? 'workflow.unregister' : 'workflow.register',
    subject: key.mailboxId,
    detail: JSON.stringify({ workflowId: key.workflowId, role: key.role, ...valid }),
  };
  if (!remove) {
    const entry = entryOf({ kind: 'registration', ...key, ...valid });
    return applyEntries(
      session,
      () => [entry],
      () => audit,
    );
  }
  findMailbox(await session.ledger.registry.load(), key.mailboxId);
  return session.ledger.registry.change({ dropRegistrations: [key], audit });
}

function keyOf(positionals: readonly string[], role: RegistrationRole | undefined) {
  if (role === undefined) throw new CommandRefusal(exitCodes.usage, '--role is needed: initiator or responder');
  return { workflowId: positionals[0] ?? '', mailboxId: readMailboxId(positionals[1] ?? ''), role };
}

/** `workflow register`: who may send and who receives a workflow; drives look-ups, and sending of restricted ones. */
export function createWorkflowRegister(open: OpenForAdmin, world: Surroundings): Command {
  return defineCommand({
    path: 'workflow register',
    summary: 'register a mailbox as sender or receiver of a workflow, or take that away',
    about: [
      'Registers MAILBOX for WORKFLOW. Responders are found by endpoint look-up and workflow search; a restricted workflow',
      'passes only between registered mailboxes. Doing it again changes nothing.',
    ].join('\n'),
    positionals: ['WORKFLOW', 'MAILBOX'],
    options,
    exits: {
      failed: 'there is no such mailbox to take the registration from',
      badInput: 'a value is not acceptable, or workflow or mailbox is unknown',
      unavailable: 'the ledger is away or full',
      config: 'the settings are not good',
    },
    async run({ positionals, options: given, json }, io) {
      const key = keyOf(positionals, readWord('role', given.role, ['initiator', 'responder']));
      const remove = given.remove !== undefined;
      const dates = { approvalId: given.approval, validFrom: given.from, validTo: given.to, remove };
      const outcome = await withSession(open, io, (session) => change(session, key, dates, world));
      const changed = outcome.rowsChanged > 0;
      if (json) printJson(io, { ...key, registered: !remove, changed, version: outcome.version });
      else {
        const state = remove ? 'not registered' : 'registered';
        const { mailboxId, workflowId, role } = key;
        io.stdout(`${mailboxId} is ${changed ? 'now' : 'already'} ${state} as ${role} of ${plain(workflowId)}\n`);
      }
      return exitCodes.ok;
    },
  });
}
