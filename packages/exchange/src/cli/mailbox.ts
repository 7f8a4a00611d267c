import { hostSurroundings, type OpenForAdmin, type Surroundings } from './admin-session.ts';
import { type CommandGroup, groupCommands } from './define-command.ts';
import { createMailboxAdd } from './mailbox/add.ts';
import { createMailboxList } from './mailbox/list.ts';
import { createMailboxRotatePassword } from './mailbox/rotate-password.ts';
import { createMailboxSetState } from './mailbox/set-state.ts';
import { createMailboxShow } from './mailbox/show.ts';

/** `mailbox`: the commands about one mailbox, and their list. */
export function createMailboxCommand(open: OpenForAdmin, world: Surroundings = hostSurroundings): CommandGroup {
  return groupCommands('mailbox', 'add, list, show and change mailboxes', [
    createMailboxAdd(open, world),
    createMailboxList(open),
    createMailboxShow(open),
    createMailboxSetState('disable', open, world),
    createMailboxSetState('enable', open, world),
    createMailboxRotatePassword(open, world),
  ]);
}
