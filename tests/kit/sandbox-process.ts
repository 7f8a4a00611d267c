import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../packages/sandbox/bin/openmesh-sandbox.js', import.meta.url));
const saidBytesMax = 10_000;

/** What the sandbox prints with --json, as far as tests need it. */
export interface Announcement {
  readonly url: string;
  readonly sharedKey: string;
  readonly mailboxes: readonly { readonly mailboxId: string; readonly password: string }[];
  readonly authorityFile: string;
  readonly clients: readonly { readonly certificateFile: string; readonly keyFile: string }[];
}

/** The sandbox as somebody starts it, on a free port; nothing of the test's own environment but PATH is passed on. */
export class SandboxProcess implements AsyncDisposable {
  readonly announcement: Announcement;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, announcement: Announcement) {
    this.#child = child;
    this.announcement = announcement;
  }

  /** Resolves when it is ready; throws what it said when it ended before. */
  static async start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<SandboxProcess> {
    const child = spawn(process.execPath, [program, '--port', '0', '--json', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], ...env },
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (piece: string) => {
      said = (said + piece).slice(-saidBytesMax);
    });
    for await (const line of createInterface({ input: child.stdout })) {
      return new SandboxProcess(child, JSON.parse(line) as Announcement);
    }
    throw new Error(`the sandbox ended before it was ready:\n${said}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}
