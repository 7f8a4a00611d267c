import { openForAdmin } from '../compose/open-for-admin.ts';
import { readEnvironment } from '../config/env.ts';
import { version } from '../version.ts';
import { createAdminCommands } from './admin-commands.ts';
import { checkConfig } from './check-config.ts';
import { type CommandIo, exitCodes } from './command.ts';
import { devCa } from './dev-ca.ts';
import { dispatch } from './dispatch.ts';
import { serveCommand } from './serve.ts';

// A reader that has seen enough (`… | head`) is no failure of ours: the rest is lost on it, and the command ends as it would.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE' || process.exitCode !== undefined) return;
  process.exitCode = exitCodes.cannotCreate;
  io.stderr(`standard output cannot be written (${code}): the command does its work without it\n`);
});
// Nobody is left to be told.
process.stderr.on('error', () => undefined);

const io: CommandIo = {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  env: readEnvironment(),
};
const commands = [serveCommand, checkConfig, ...createAdminCommands(openForAdmin), devCa];
const args = process.argv.slice(2);
const code = await dispatch(commands, args, io, version);
if (code !== exitCodes.ok) process.exitCode = code;
// It has finished, closed and flushed what there was: nothing that is still open may keep it from ending.
if (args[0] === serveCommand.name) process.exit();
