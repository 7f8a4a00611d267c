import { hostSurroundings, type OpenForAdmin, type Surroundings } from './admin-session.ts';
import { type CommandGroup, groupCommands } from './define-command.ts';
import { createWorkflowAdd } from './workflow/add.ts';
import { createWorkflowApprove } from './workflow/approve.ts';
import { createWorkflowJoin } from './workflow/join.ts';
import { createWorkflowList } from './workflow/list.ts';
import { createWorkflowRegister } from './workflow/register.ts';
import { createWorkflowSeed } from './workflow/seed.ts';

/** `workflow`: the commands about workflows and who is registered for them. */
export function createWorkflowCommand(open: OpenForAdmin, world: Surroundings = hostSurroundings): CommandGroup {
  return groupCommands('workflow', 'add and list workflows, register mailboxes for them', [
    createWorkflowAdd(open, world),
    createWorkflowList(open),
    createWorkflowRegister(open, world),
    createWorkflowJoin(open, world),
    createWorkflowApprove(open, world),
    createWorkflowSeed(open, world),
  ]);
}
