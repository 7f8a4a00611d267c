import { hostSurroundings, type OpenForAdmin, type Surroundings } from './admin-session.ts';
import { type CommandGroup, groupCommands } from './define-command.ts';
import { createSharedKeyAdd } from './token-key/add.ts';
import { createSharedKeyEnd } from './token-key/end.ts';
import { createSharedKeyList } from './token-key/list.ts';

/** `shared-key`: the commands about the key of the token hash. */
export function createSharedKeyCommand(open: OpenForAdmin, world: Surroundings = hostSurroundings): CommandGroup {
  return groupCommands('shared-key', 'change the key of the token hash without a gap', [
    createSharedKeyAdd(open, world),
    createSharedKeyList(open, world),
    createSharedKeyEnd(open, world),
  ]);
}
