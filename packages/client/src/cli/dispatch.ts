import { terminalJson, terminalText } from '@openmesh/protocol';
import { MeshError } from '@openmesh/sdk';
import { SharedKeyMissing } from '../compose.ts';
import { ConfigFault } from '../config/raw-settings.ts';
import { FolderFault } from '../folders/mailbox-tree.ts';
import { JournalFault } from '../journal/schema.ts';
import { KeyStoreFault } from '../keystore/credentials.ts';
import { LockedByAnother } from '../mailbox/root-lock.ts';
import { clientVersion } from '../version.ts';
import {
  type Command,
  type CommandIo,
  CommandRefusal,
  type ExitCode,
  exitCodes,
  helpOf,
  parseRequest,
  program,
} from './command.ts';

/** Runs the command of the first argument; a file as the first argument is `run FILE`, as the Java client was started. */
export async function dispatch(
  commands: readonly Command[],
  args: readonly string[],
  io: CommandIo,
): Promise<ExitCode> {
  const [word = '--help', ...rest] = args;
  if (['--help', '-h', 'help'].includes(word)) {
    io.stdout(overview(commands));
    return args.length === 0 ? exitCodes.usage : exitCodes.ok;
  }
  if (word === '--version') {
    io.stdout(`${program} ${clientVersion}\n`);
    return exitCodes.ok;
  }
  const command = commands.find(({ name, aliases = [] }) => name === word || aliases.includes(word));
  const run = commands.find(({ name }) => name === 'run');
  if (command === undefined && run !== undefined && /\.(cfg|ya?ml|xml)$/i.test(word)) return await start(run, args, io);
  if (command === undefined) {
    io.stderr(`there is no such command\n${overview(commands)}`);
    return exitCodes.usage;
  }
  return await start(command, rest, io);
}

async function start(command: Command, args: readonly string[], io: CommandIo): Promise<ExitCode> {
  const request = parseRequest(command, args);
  if (request === 'help') {
    io.stdout(helpOf(command));
    return exitCodes.ok;
  }
  if ('wrong' in request) {
    io.stderr(`${request.wrong}\n${helpOf(command)}`);
    return exitCodes.usage;
  }
  try {
    return await command.run(request, io);
  } catch (error) {
    const code = exitCodeOf(error);
    const text =
      code === exitCodes.internal ? `a defect, please report it: ${(error as Error).stack}` : (error as Error).message;
    if (request.json) io.stdout(`${terminalJson({ error: text, exitCode: code })}\n`);
    else io.stderr(`${program} ${command.name}: ${text.split('\n').map(terminalText).join('\n')}\n`);
    return code;
  }
}

function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommandRefusal) return error.exitCode;
  if (error instanceof ConfigFault || error instanceof SharedKeyMissing || error instanceof FolderFault)
    return exitCodes.configuration;
  if (error instanceof LockedByAnother) return exitCodes.locked;
  if (error instanceof KeyStoreFault) return exitCodes.keyStore;
  // A service manager starts the client again after the first, for it may find room on the disk by then.
  if (error instanceof JournalFault) return error.mayPass ? exitCodes.unavailable : exitCodes.configuration;
  if (error instanceof MeshError)
    return error.code === 'client-certificate-unusable' ? exitCodes.keyStore : exitCodes.unavailable;
  return exitCodes.internal;
}

function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    `usage: ${program} COMMAND …      or, as the Java client was started: ${program} meshclient.cfg`,
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    `"${program} COMMAND --help" says more of one; --version prints the version. CONFIG is a meshclient.cfg or our own YAML;`,
    'without it, meshclient.cfg or openmesh-client.yaml of the folder you are in.',
    '',
  ].join('\n');
}
