import { hostSurroundings, type OpenForAdmin, type Surroundings } from './admin-session.ts';
import { type CommandGroup, groupCommands } from './define-command.ts';
import { createDirectoryAlerts } from './directory/alerts.ts';
import { createDirectoryLoad } from './directory/load.ts';
import { createDirectoryShow } from './directory/show.ts';

/** `directory`: the commands about organisations. */
export function createDirectoryCommand(open: OpenForAdmin, world: Surroundings = hostSurroundings): CommandGroup {
  return groupCommands('directory', 'load organisations, look one up, see what has become of them', [
    createDirectoryLoad(open, world),
    createDirectoryShow(open),
    createDirectoryAlerts(open, world),
  ]);
}
