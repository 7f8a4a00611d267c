import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'packages/exchange/src/cli/main.ts');
const outputBytesMax = 16 * 1024 * 1024;

export interface CommandOutcome {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs an admin command in a process of its own, with these settings and the program path only. */
export function runCommand(args: readonly string[], env: Readonly<Record<string, string>>): Promise<CommandOutcome> {
  const options = { env: { PATH: process.env['PATH'] ?? '', ...env }, maxBuffer: outputBytesMax };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program, ...args], options, (_error, out, err) =>
      resolve({ status: child.exitCode, out, err }),
    );
  });
}
