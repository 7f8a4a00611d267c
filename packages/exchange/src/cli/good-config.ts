import { type Config, loadConfig } from '../config/config.ts';
import { type CommandIo, exitCodes } from './command.ts';
import { CommandRefusal } from './define-command.ts';

/** The settings of the environment, and their warnings; refuses with every problem when they are not good. */
export function goodConfig(
  env: CommandIo['env'],
  whose = 'the settings',
): { readonly config: Config; readonly warnings: readonly { readonly name: string; readonly problem: string }[] } {
  const loaded = loadConfig(env);
  if (loaded.ok) return loaded;
  const problems = loaded.problems.map(({ name, problem }) => `\n  ${name} ${problem}`).join('');
  throw new CommandRefusal(exitCodes.config, `${whose} are not good; put right and try again:${problems}`);
}
