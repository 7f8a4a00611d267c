import { entryOf, type OpenForAdmin, type Surroundings, withSession } from '../admin-session.ts';
import { applyEntries } from '../change-registry.ts';
import { type Command, exitCodes } from '../command.ts';
import { CommandRefusal, defineCommand } from '../define-command.ts';
import { plain, printJson } from '../print.ts';

/** `workflow add`: a workflow the exchange did not know. */
export function createWorkflowAdd(open: OpenForAdmin, world: Surroundings): Command {
  return defineCommand({
    path: 'workflow add',
    summary: 'add a workflow',
    about: 'Adds a workflow. One that exists is changed by importing a line that names it.',
    positionals: ['WORKFLOW'],
    options: {
      description: { value: 'TEXT', says: 'what it carries' },
      status: { value: 'draft|live|deprecated|withdrawn', says: 'draft and withdrawn refuse messages (default live)' },
      restricted: { says: 'only between mailboxes registered for it' },
    },
    exits: {
      failed: 'the workflow exists',
      badInput: 'a value is not acceptable',
      unavailable: 'the ledger is away or full',
      config: 'the settings are not good',
    },
    async run({ positionals, options: { description, status, restricted }, json }, io) {
      const workflowId = positionals[0] ?? '';
      const given = { description, status, restricted: restricted !== undefined };
      const entry = entryOf({ kind: 'workflow', workflowId, ...given });
      const version = await withSession(open, io, async (session) => {
        const { workflows } = await session.ledger.registry.load();
        if (workflows.some((row) => row.workflowId === workflowId)) {
          const say = `workflow ${plain(workflowId)} exists; an import line with its id changes it`;
          throw new CommandRefusal(exitCodes.failed, say);
        }
        const audit = { atMs: world.now(), actor: world.actor(), action: 'workflow.add', subject: workflowId };
        return (
          await applyEntries(
            session,
            () => [entry],
            () => ({ ...audit, detail: JSON.stringify(given) }),
          )
        ).version;
      });
      if (json) printJson(io, { workflowId, version });
      else io.stdout(`added ${workflowId}\n`);
      return exitCodes.ok;
    },
  });
}
