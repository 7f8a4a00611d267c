import { type Command, type CommandIo, exitCodes } from './command.ts';
import { program } from './define-command.ts';

function renderHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    `usage: ${program} COMMAND …`,
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    `"${program} COMMAND --help" says more of one. --version prints the version.`,
    'Settings come from OPENMESH_* variables; "check-config" says whether they are good.',
    '',
  ].join('\n');
}

/**
 * Runs the command that the first argument names and answers with its exit code. A defect is said on stderr and
 * answered with 1.
 */
export async function dispatch(
  commands: readonly Command[],
  args: readonly string[],
  io: CommandIo,
  version: string,
): Promise<number> {
  const [word, ...rest] = args;
  if (word === '--help' || word === '-h' || word === 'help') {
    io.stdout(renderHelp(commands));
    return exitCodes.ok;
  }
  if (word === '--version') {
    io.stdout(`${program} ${version}\n`);
    return exitCodes.ok;
  }
  const command = commands.find(({ name }) => name === word);
  if (command === undefined) {
    io.stderr(`${word === undefined ? 'a command is missing' : 'no such command'}\n${renderHelp(commands)}`);
    return exitCodes.usage;
  }
  try {
    return await command.run(rest, io);
  } catch (error) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    io.stderr(`${program} ${command.name} failed: this is a defect, please report it\n${stack}\n`);
    return exitCodes.failed;
  }
}
