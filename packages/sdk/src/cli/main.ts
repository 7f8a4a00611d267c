import { once } from 'node:events';
import { runCommand } from './run-command.ts';

/** Runs the command of this process: the one place that reads its arguments and its environment. */
export async function main(): Promise<void> {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort(signal));
  process.exitCode = await runCommand(process.argv.slice(2), {
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
}
