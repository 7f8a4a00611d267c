import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

const outputBytesMax = 256 * 1024;
const pollMs = 20;

/**
 * The account that engines run as: PostgreSQL refuses root, so as root it is the one of Debian's package. undefined:
 * this process's own.
 */
function engineAccount(name = 'postgres'): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined) {
    throw new Error(`there is no account ${name}: apt-get install --no-install-recommends postgresql-15`);
  }
  return { uid: Number(uid), gid: Number(gid) };
}

/** Where engines run as another account, what it has to write to must be its own. */
export function ownerOfEngines(): { readonly uid: number; readonly gid: number } {
  return engineAccount() ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
}

export interface EngineOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A daemon that ends with the test process, whatever ends that: the kernel sends it SIGINT then. */
export class EngineProcess {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  #output = '';

  constructor(program: string, args: readonly string[], options: EngineOptions) {
    const account = engineAccount();
    const drop =
      account === undefined ? [] : ['--reuid', String(account.uid), '--regid', String(account.gid), '--clear-groups'];
    this.name = program;
    this.#child = spawn('setpriv', [...drop, '--pdeathsig', 'INT', program, ...args], surroundings(options));
    this.pid = this.#child.pid ?? 0;
    this.exited = once(this.#child, 'exit').then(() => undefined);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8');
      stream?.on('data', (piece: string) => {
        this.#output = (this.#output + piece).slice(-outputBytesMax);
      });
    }
  }

  /** The last of what it printed. */
  get output(): string {
    return this.#output;
  }

  get runs(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Waits for something to become true of a process that runs; throws what it printed when it ends or takes too long. */
  async until(isSo: () => Promise<boolean>, limitMs = 60_000): Promise<void> {
    const giveUpAt = Date.now() + limitMs;
    while (!(await isSo())) {
      if (!this.runs || Date.now() > giveUpAt) throw new Error(`${this.name} did not become ready\n${this.#output}`);
      await setTimeout(pollMs);
    }
  }

  signal(signal: NodeJS.Signals): void {
    if (this.runs) this.#child.kill(signal);
  }

  /** Asks it to end and waits; after the limit it is killed. */
  async stop(signal: NodeJS.Signals, limitMs = 30_000): Promise<void> {
    this.signal(signal);
    const limit = new AbortController();
    const killed = setTimeout(limitMs, undefined, { signal: limit.signal }).then(
      () => this.signal('SIGKILL'),
      () => undefined,
    );
    await this.exited;
    limit.abort();
    await killed;
  }
}

function surroundings({ cwd, env }: EngineOptions): SpawnOptions {
  const path = '/usr/sbin:/usr/bin:/sbin:/bin';
  return { cwd, env: { PATH: path, TZ: 'UTC', HOME: cwd, ...env }, stdio: ['ignore', 'pipe', 'pipe'] };
}

/** Runs a program of an engine to its end; resolves to what it printed, throws when it failed. */
export async function runEngineTool(program: string, args: readonly string[], options: EngineOptions): Promise<string> {
  const account = engineAccount();
  const child = spawn(program, args, { ...surroundings(options), ...account });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8');
    stream?.on('data', (piece: string) => (output += piece));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${program} ended with ${String(code)}\n${output}`);
  return output;
}

/** Gone, or dead and not yet taken note of by its parent: pid 1 of a container may leave the dead lying for long. */
export function isDead(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before the state letter is in brackets and may hold any character.
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return true;
  }
}

export async function untilDead(pids: readonly number[], limitMs = 60_000): Promise<void> {
  const giveUpAt = Date.now() + limitMs;
  while (pids.some((pid) => !isDead(pid))) {
    if (Date.now() > giveUpAt) throw new Error(`processes ${pids.join(', ')} did not end`);
    await setTimeout(pollMs);
  }
}

/** Processes that name this one as their parent. */
export function childrenOf(pid: number): readonly number[] {
  try {
    const listed = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return listed === '' ? [] : listed.split(' ').map(Number);
  } catch {
    return [];
  }
}
