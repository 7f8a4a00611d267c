import { entryOf, type OpenForAdmin, type Surroundings, withSession } from '../admin-session.ts';
import { applyEntries } from '../change-registry.ts';
import { type Command, exitCodes } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { plain, printJson } from '../print.ts';

const options = {
  'ods-code': { value: 'CODE', says: 'the organisation that may receive it (needed in a new one)' },
  workflow: { value: 'WORKFLOW', says: 'the restricted workflow (needed in a new one)' },
  by: { value: 'NAME', says: 'who of the programme approved it (needed in a new one)' },
  reason: { value: 'TEXT', says: 'for what' },
  from: { value: 'DATE', says: 'in force from then on (default: always)' },
  to: { value: 'DATE', says: 'in force until then (needed in a new one)' },
  'review-on': { value: 'DATE', says: 'when it is looked at again (default: when it ends)' },
} as const;

/** `workflow approve`: the record that an organisation may receive a restricted workflow. */
export function createWorkflowApprove(open: OpenForAdmin, world: Surroundings): Command {
  return defineCommand({
    path: 'workflow approve',
    summary: 'record that an organisation may receive a restricted workflow',
    about: [
      'Records APPROVAL, or changes what is given of it. Rules may bring a restricted workflow only to organisations with an',
      'approval in force, and registrations may name one they rest on. Give --to in the past to end one at once.',
    ].join('\n'),
    positionals: ['APPROVAL'],
    options,
    exits: {
      badInput: 'a value is not acceptable or missing, or the workflow is unknown',
      unavailable: 'the ledger is away or full',
      config: 'the settings are not good',
    },
    async run({ positionals, options: given, json }, io) {
      const approvalId = positionals[0] ?? '';
      const { 'ods-code': odsCode, workflow: workflowId, by: approvedBy, reason } = given;
      const dates = { validFrom: given.from, validTo: given.to, reviewOn: given['review-on'] };
      const entry = entryOf({ kind: 'approval', approvalId, odsCode, workflowId, approvedBy, reason, ...dates });
      const { version, rowsChanged } = await withSession(open, io, (session) => {
        const detail = JSON.stringify({ odsCode, workflowId, approvedBy, ...dates });
        const audit = {
          atMs: world.now(),
          actor: world.actor(),
          action: 'workflow.approve',
          subject: approvalId,
          detail,
        };
        return applyEntries(
          session,
          () => [entry],
          () => audit,
        );
      });
      if (json) printJson(io, { approvalId, changed: rowsChanged > 0, version });
      else io.stdout(`${rowsChanged > 0 ? 'recorded' : 'nothing new about'} approval ${plain(approvalId)}\n`);
      return exitCodes.ok;
    },
  });
}
