import { MeshError } from '../errors/mesh-error.ts';
import { sdkVersion } from '../version.ts';
import { type Command, type CommandIo, readRequest } from './command.ts';
import { CommandRefusal, type ExitCode, exitCodeOf, exitCodes } from './exit-codes.ts';
import { getCommand } from './get.ts';
import { commandHelp, programHelp } from './help.ts';
import { inboxCommand } from './inbox.ts';
import { preflightCommand } from './preflight.ts';
import { printError } from './print.ts';
import { sendCommand } from './send.ts';
import { ackCommand, doctorCommand, lookupCommand, trackCommand } from './short-commands.ts';

export const commands: readonly Command[] = [
  sendCommand,
  inboxCommand,
  getCommand,
  ackCommand,
  trackCommand,
  lookupCommand,
  preflightCommand,
  doctorCommand,
];

/** Runs `mesh` with these arguments. Never throws for what a user, a file, the network or the service did. */
export async function runCommand(args: readonly string[], io: CommandIo): Promise<ExitCode> {
  const [name = '', ...rest] = args;
  if (name === '--version') {
    io.stdout(`${sdkVersion}\n`);
    return exitCodes.ok;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    io.stdout(programHelp(commands));
    return exitCodes.ok;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    const known = commands.map((candidate) => candidate.name).join(', ');
    io.stderr(`mesh: ${name === '' ? 'a command is missing' : 'there is no such command'}; there are ${known}\n`);
    return exitCodes.usage;
  }
  const isJson = rest.includes('--json');
  try {
    const request = readRequest(command, rest);
    if (request !== 'help') return await command.run(request, io);
    io.stdout(commandHelp(command));
    return exitCodes.ok;
  } catch (error) {
    return explain(error, isJson, io);
  }
}

function explain(error: unknown, isJson: boolean, io: CommandIo): ExitCode {
  if (error instanceof MeshError) {
    printError(io, error, isJson);
    return exitCodeOf(error);
  }
  if (error instanceof CommandRefusal) {
    io.stderr(isJson ? `${JSON.stringify({ error: { message: error.message } })}\n` : `mesh: ${error.message}\n`);
    return error.exitCode;
  }
  if (io.signal.aborted) return exitCodes.interrupted;
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) throw error;
  io.stderr(`mesh: a file could not be used: ${code} (${syscall})\n`);
  return exitCodes.file;
}
