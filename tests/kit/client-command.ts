import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../packages/client/src/cli/main.ts', import.meta.url));

export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `openmesh-client` with these arguments, in a process of its own. */
export function runCommand(...args: readonly string[]): Promise<CommandResult> {
  return runCommandWith({}, ...args);
}

/** The same with an environment besides PATH, and with a standard input. */
export async function runCommandWith(
  { env = {}, input = '' }: { readonly env?: Readonly<Record<string, string>>; readonly input?: string },
  ...args: readonly string[]
): Promise<CommandResult> {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], ...env },
  });
  // A command that reads no input may have ended before it is given any.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [stdout, stderr, status] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close').then(([code]) => code as number | null),
  ]);
  return { status, stdout, stderr };
}
