import type { CommandIo } from './command.ts';
import { commands } from './commands.ts';
import { dispatch } from './dispatch.ts';

// A reader that has seen enough (`… | head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

const io: CommandIo = {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  env: process.env,
};
process.exitCode = await dispatch(commands, process.argv.slice(2), io);
