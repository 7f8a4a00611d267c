import { openForAdmin } from '../compose/open-for-admin.ts';
import { readEnvironment } from '../config/env.ts';
import { version } from '../version.ts';
import { createAdminCommands } from './admin-commands.ts';
import { checkConfig } from './check-config.ts';
import type { CommandIo } from './command.ts';
import { devCa } from './dev-ca.ts';
import { dispatch } from './dispatch.ts';
import { serveCommand } from './serve.ts';

// A reader that has seen enough (`… | head`) is no failure of ours; what was to be changed has been.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

const io: CommandIo = {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  env: readEnvironment(),
};
const commands = [serveCommand, checkConfig, ...createAdminCommands(openForAdmin), devCa];
const args = process.argv.slice(2);
process.exitCode = await dispatch(commands, args, io, version);
// It has finished, closed and flushed what there was: nothing that is still open may keep it from ending.
if (args[0] === serveCommand.name) process.exit();
