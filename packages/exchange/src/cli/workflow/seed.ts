import { knownWorkflows } from '../../compose/known-workflows.ts';
import type { Entry } from '../../mailbox/import/entry.ts';
import {
  type AdminSession,
  applyEntries,
  type OpenForAdmin,
  type Surroundings,
  withSession,
} from '../admin-session.ts';
import { type Command, exitCodes } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { printJson } from '../print.ts';

async function seed(session: AdminSession, world: Surroundings) {
  const { workflows, groups } = await session.ledger.registry.load();
  const known = new Set([...workflows.map((row) => row.workflowId), ...groups.map((row) => `group ${row.groupId}`)]);
  const entries = knownWorkflows().flatMap((entry): readonly Entry[] => {
    if (entry.kind === 'workflow') return known.has(entry.workflowId) ? [] : [entry];
    return entry.kind === 'group' && !known.has(`group ${entry.groupId}`) ? [entry] : [];
  });
  const detail = JSON.stringify({ entries: entries.length });
  const audit = { atMs: world.now(), actor: world.actor(), action: 'workflow.seed', subject: 'workflows', detail };
  const { version } = await applyEntries(session, entries, audit);
  return { added: entries.length, version };
}

/** `workflow seed`: the workflows and groups that are publicly known. */
export function createWorkflowSeed(open: OpenForAdmin, world: Surroundings): Command {
  return defineCommand({
    path: 'workflow seed',
    summary: 'add the workflows and groups that are publicly known',
    about: [
      'Adds the workflows and groups that are known from public sources, each with its source. Those that are there already',
      'are left as they are; change any of them by importing a line that names it. Doing it again adds what is missing.',
    ].join('\n'),
    positionals: [],
    options: {},
    exits: {
      badInput: 'what is there does not go together with them',
      unavailable: 'the ledger is away or full',
      config: 'the settings are not good',
    },
    async run({ json }, io) {
      const done = await withSession(open, io, (session) => seed(session, world));
      if (json) printJson(io, done);
      else io.stdout(`added ${done.added} workflows and groups; the registry is at version ${done.version}\n`);
      return exitCodes.ok;
    },
  });
}
