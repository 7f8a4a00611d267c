import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'packages/client/src/cli/main.ts');
const saidBytesMax = 200_000;

export interface ClientProcessOptions {
  readonly configFile: string;
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** `openmesh-client run` in a process of its own, so that it can be killed. */
export class ClientProcess {
  readonly pid: number;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  readonly #child: ChildProcess;
  #said = '';

  private constructor(child: ChildProcess, pid: number) {
    this.#child = child;
    this.pid = pid;
    this.exited = once(child, 'close').then(([code, signal]) => ({ code, signal }));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (piece: string) => {
        this.#said = (this.#said + piece).slice(-saidBytesMax);
      });
    }
  }

  static start({ configFile, nodeArgs = [], env = {} }: ClientProcessOptions): ClientProcess {
    const child = spawn(process.execPath, [...nodeArgs, program, 'run', configFile], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], ...env },
    });
    if (child.pid === undefined) throw new Error('the client could not be started');
    return new ClientProcess(child, child.pid);
  }

  /** The last of what it printed. */
  get said(): string {
    return this.#said;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Ends it as a power cut would. */
  async kill9(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  /** Asks it to stop; answers its exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    return (await this.exited).code;
  }
}
