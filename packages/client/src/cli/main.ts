import { type CommandIo, exitCodes } from './command.ts';
import { commands } from './commands.ts';
import { dispatch } from './dispatch.ts';

let isAnswer = false;
// A reader that has seen enough (`… | head`) is no failure of ours: the rest is lost on it, and the command ends as it would.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE' || !isAnswer || process.exitCode !== undefined) return;
  process.exitCode = exitCodes.unwritten;
  io.stderr(`standard output cannot be written (${code})\n`);
});
// Nobody is left to be told.
process.stderr.on('error', () => undefined);

const io: CommandIo = {
  stdout: (text) => {
    isAnswer = true;
    process.stdout.write(text);
  },
  log: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  env: process.env,
};
const code = await dispatch(commands, process.argv.slice(2), io);
if (code !== exitCodes.ok) process.exitCode = code;
