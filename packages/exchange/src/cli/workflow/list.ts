import type { RegistryRecords } from '../../store/ledger/registry.ts';
import { type OpenForAdmin, withSession } from '../admin-session.ts';
import { type Command, exitCodes } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { printJson, printTable } from '../print.ts';
import { readCount } from '../read-options.ts';

const limitDefault = 1000;
const limitMax = 1_000_000;

/** Each workflow with how many mailboxes are registered to send and to receive it, in order of id. */
function countRegistered({ workflows, registrations }: RegistryRecords) {
  const counts = new Map(workflows.map(({ workflowId }) => [workflowId, { initiator: 0, responder: 0 }]));
  for (const { workflowId, role } of registrations) {
    const count = counts.get(workflowId);
    if (count !== undefined) count[role] += 1;
  }
  return workflows
    .map((row) => ({
      ...row,
      initiators: counts.get(row.workflowId)?.initiator ?? 0,
      responders: counts.get(row.workflowId)?.responder ?? 0,
    }))
    .sort((a, b) => (a.workflowId < b.workflowId ? -1 : 1));
}

/** `workflow list`: workflows in order of id with the number of their registrations. */
export function createWorkflowList(open: OpenForAdmin): Command {
  return defineCommand({
    path: 'workflow list',
    summary: 'list workflows',
    about: 'Lists workflows in order of id, with how many mailboxes are registered to send and to receive each.',
    positionals: [],
    options: { limit: { value: 'N', says: `at most so many (default ${limitDefault})` } },
    exits: {
      badInput: 'a value is not acceptable',
      unavailable: 'the ledger is away',
      config: 'the settings are not good',
    },
    async run({ options, json }, io) {
      const limit = readCount('limit', options.limit, limitDefault, 1, limitMax);
      const records = await withSession(open, io, ({ ledger }) => ledger.registry.load());
      const found = countRegistered(records);
      const shown = found.slice(0, limit);
      if (json) {
        printJson(io, { version: records.version, found: found.length, workflows: shown });
        return exitCodes.ok;
      }
      const rows = shown.map((row) => [
        row.workflowId,
        row.status,
        row.restricted ? 'restricted' : 'open',
        String(row.initiators),
        String(row.responders),
        row.description,
      ]);
      printTable(io, ['workflow', 'status', 'use', 'senders', 'receivers', 'description'], rows);
      if (found.length > shown.length) io.stderr(`${found.length - shown.length} more; --limit shows more of them\n`);
      return exitCodes.ok;
    },
  });
}
