import { hostSurroundings, type OpenForAdmin, type Surroundings } from './admin-session.ts';
import { type CommandGroup, groupCommands } from './define-command.ts';
import { createKeysDrop, type Wait } from './keys/drop.ts';
import { createKeysList } from './keys/list.ts';
import { createKeysRewrap } from './keys/rewrap.ts';
import { createKeysRotate } from './keys/rotate.ts';

/** `keys`: the commands about the secret keys, under which everything else at rest is encrypted. */
export function createKeysCommand(
  open: OpenForAdmin,
  world: Surroundings = hostSurroundings,
  wait: Wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
): CommandGroup {
  return groupCommands('keys', 'look at, change and drop the keys that encrypt at rest', [
    createKeysList(open),
    createKeysRotate(),
    createKeysRewrap(open, world),
    createKeysDrop(open, world, wait),
  ]);
}
