import { knownWorkflows } from '../../compose/known-workflows.ts';
import type { Entry } from '../../mailbox/import/entry.ts';
import type { RegistryRecords } from '../../store/ledger/registry.ts';
import { type AdminSession, type OpenForAdmin, type Surroundings, withSession } from '../admin-session.ts';
import { applyEntries } from '../change-registry.ts';
import { type Command, exitCodes } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { printJson } from '../print.ts';

/** Those that are not there. */
function missing({ workflows, groups }: RegistryRecords): readonly Entry[] {
  const known = new Set([...workflows.map((row) => row.workflowId), ...groups.map((row) => `group ${row.groupId}`)]);
  return knownWorkflows().flatMap((entry): readonly Entry[] => {
    if (entry.kind === 'workflow') return known.has(entry.workflowId) ? [] : [entry];
    return entry.kind === 'group' && !known.has(`group ${entry.groupId}`) ? [entry] : [];
  });
}

async function seed(session: AdminSession, world: Surroundings) {
  const by = { atMs: world.now(), actor: world.actor(), action: 'workflow.seed', subject: 'workflows' };
  const { version, plan } = await applyEntries(session, missing, (entries) => {
    return { ...by, detail: JSON.stringify({ entries: entries.length }) };
  });
  return { added: plan.counts.workflow.added + plan.counts.group.added, version };
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
