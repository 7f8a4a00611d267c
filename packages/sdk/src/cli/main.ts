import { once } from 'node:events';
import { exitCodes } from './exit-codes.ts';
import { runCommand } from './run-command.ts';

/** Runs the command of this process: the one place that reads its arguments and its environment. */
export async function main(): Promise<void> {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort(signal));
  mindLostOutput();
  const code = await runCommand(process.argv.slice(2), {
    env: process.env,
    stdin: process.stdin,
    stdout: (text) => void process.stdout.write(text),
    content: async (bytes) => {
      if (!process.stdout.write(bytes)) await once(process.stdout, 'drain');
    },
    stderr: (text) => void process.stderr.write(text),
    columns: process.stderr.isTTY ? process.stderr.columns : undefined,
    signal: interrupt.signal,
    surroundings: {},
  });
  if (code !== exitCodes.ok) process.exitCode = code;
}

/** A reader that has seen enough (`… | head`) is no failure: the rest is lost on it, and the command ends as it would. */
function mindLostOutput(): void {
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE' || process.exitCode !== undefined) return;
    process.exitCode = exitCodes.file;
    process.stderr.write(`mesh: standard output cannot be written: ${code}\n`);
  });
  // Nobody is left to be told.
  process.stderr.on('error', () => undefined);
}
