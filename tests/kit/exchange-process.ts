import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const outputBytesMax = 4 * 1024 * 1024;

export interface ExchangeProcessOptions {
  /** Settings of the exchange; nothing of the test's own `OPENMESH_*` environment is passed on. */
  readonly env: Readonly<Record<string, string>>;
  /** Another Node than the one that runs the test. */
  readonly node?: string;
  /** Arguments of Node itself, such as `--import` and a module. */
  readonly nodeArgs?: readonly string[];
  /** Arguments of the command; `serve` when absent. */
  readonly args?: readonly string[];
  /** The program; the exchange's command when absent. */
  readonly program?: string;
  readonly readyTimeoutMs?: number;
  /** Descriptor that takes the place of its standard output, which is then not kept. */
  readonly stdout?: number;
  /** Told at once, with the process's id. */
  readonly spawned?: (pid: number) => void;
}

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The process ended, or stayed silent, before it said that it was ready. `output` is what it printed. */
export class NotReady extends Error {
  readonly end: ProcessEnd | undefined;
  readonly output: string;
  constructor(end: ProcessEnd | undefined, output: string) {
    super(
      `the exchange did not become ready (${end === undefined ? 'no ready line' : JSON.stringify(end)})\n${output}`,
    );
    this.name = 'NotReady';
    this.end = end;
    this.output = output;
  }
}

/** The last bytes a stream printed: enough to explain a failure, never more than the limit. */
class Printed {
  text = '';
  add(piece: string): void {
    this.text = (this.text + piece).slice(-outputBytesMax);
  }
}

/**
 * The real server in a process of its own, so that it can be killed. `start` resolves once it printed the address of
 * the machines' listener.
 */
export class ExchangeProcess {
  /** Origin of the machines' listener. */
  readonly url: string;
  readonly pid: number;
  readonly exited: Promise<ProcessEnd>;
  readonly #options: ExchangeProcessOptions;
  readonly #child: ChildProcess;
  readonly #stdout: Printed;
  readonly #stderr: Printed;

  private constructor(
    options: ExchangeProcessOptions,
    child: ChildProcess,
    printed: { readonly stdout: Printed; readonly stderr: Printed },
    ready: { readonly url: string; readonly pid: number; readonly exited: Promise<ProcessEnd> },
  ) {
    this.#options = options;
    this.#child = child;
    this.#stdout = printed.stdout;
    this.#stderr = printed.stderr;
    this.url = ready.url;
    this.pid = ready.pid;
    this.exited = ready.exited;
  }

  /** Throws `NotReady` when the process ends, or the time runs out, before the ready line. */
  static async start(options: ExchangeProcessOptions): Promise<ExchangeProcess> {
    const program = options.program ?? join(repository, 'packages/exchange/src/cli/main.ts');
    const child = spawn(
      options.node ?? process.execPath,
      [...(options.nodeArgs ?? []), program, ...(options.args ?? ['serve'])],
      {
        stdio: ['ignore', options.stdout ?? 'pipe', 'pipe'],
        env: { ...inheritedEnvironment(), ...options.env },
      },
    );
    if (child.pid !== undefined) options.spawned?.(child.pid);
    const stdout = new Printed();
    const stderr = new Printed();
    const exited = once(child, 'close').then(([code, signal]): ProcessEnd => ({ code, signal }));
    child.stdout?.setEncoding('utf8').on('data', (piece: string) => stdout.add(piece));
    const url = new Promise<string>((resolve) => {
      child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
        stderr.add(piece);
        const found = readyUrl(stderr.text);
        if (found !== undefined) resolve(found);
      });
    });
    const patience = new AbortController();
    const silence = setTimeout(options.readyTimeoutMs ?? 90_000, undefined, { signal: patience.signal });
    const outcome = await Promise.race([url, exited, silence.catch(() => undefined)]);
    patience.abort();
    if (typeof outcome === 'string' && child.pid !== undefined) {
      return new ExchangeProcess(options, child, { stdout, stderr }, { url: outcome, pid: child.pid, exited });
    }
    child.kill('SIGKILL');
    throw new NotReady(typeof outcome === 'object' ? outcome : undefined, stdout.text + stderr.text);
  }

  get stdout(): string {
    return this.#stdout.text;
  }

  get stderr(): string {
    return this.#stderr.text;
  }

  /** True until the process has ended. */
  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Ends the process as a power cut would: nothing of it runs any more when the promise resolves. */
  async kill9(): Promise<ProcessEnd> {
    this.#child.kill('SIGKILL');
    return this.exited;
  }

  /** Asks for a graceful stop and waits for the end. */
  async stop(): Promise<ProcessEnd> {
    this.#child.kill('SIGTERM');
    return this.exited;
  }

  /** Starts the same command again after the end of this process, with settings added or replaced. */
  async restart(env: Readonly<Record<string, string>> = {}): Promise<ExchangeProcess> {
    await this.exited;
    return ExchangeProcess.start({ ...this.#options, env: { ...this.#options.env, ...env } });
  }
}

/** The address in the ready line, once that line is whole: `ready machines=http://… operators=…` on standard error. */
function readyUrl(printed: string): string | undefined {
  return /^ready machines=(\S+)[^\n]*\n/m.exec(printed)?.[1];
}

function inheritedEnvironment(): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    // A test runner's own Node options and our settings would change what is under test.
    if (value !== undefined && !/^(OPENMESH_|NODE_|VITEST|LD_PRELOAD)/.test(name)) kept[name] = value;
  }
  return kept;
}
