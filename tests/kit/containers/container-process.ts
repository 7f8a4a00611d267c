import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Image } from './build-image.ts';

export interface ContainerOptions {
  readonly image: Image;
  /** The whole command line: entry and arguments. */
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** `uid:gid`; what the image says when absent, with all the rights of a container's root where that is root. */
  readonly user?: string;
  /** Folders of the host, by where they lie inside. */
  readonly volumes?: Readonly<Record<string, string>>;
  /** Written to its standard input. */
  readonly input?: string;
}

/** What the root of a container may do by default. */
const rightsOfRoot = [
  'chown',
  'dac_override',
  'fowner',
  'fsetid',
  'kill',
  'setgid',
  'setuid',
  'setpcap',
  'net_bind_service',
];
const outputBytesMax = 4 * 1024 * 1024;
const readyTimeoutMs = 60_000;
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * A command of an image as `docker run --read-only --tmpfs /tmp` would have it: nothing of the tree can be written but
 * `/tmp` and the volumes, a user without rights has no capability and can get none. It shares the host's network.
 */
export class ContainerProcess {
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #options: ContainerOptions;
  #printed = '';
  #look = (): void => undefined;

  constructor(options: ContainerOptions) {
    this.#options = options;
    for (const at of Object.keys(options.volumes ?? {})) mkdirSync(join(options.image.root, at), { recursive: true });
    this.#child = spawn('unshare', ['--mount', '--', 'bash', '-c', startScript(options)], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.exited = once(this.#child, 'close').then(([code]) => code as number | null);
    this.#child.stdout?.setEncoding('utf8').on('data', (piece: string) => this.#note(piece));
    this.#child.stderr?.setEncoding('utf8').on('data', (piece: string) => this.#note(piece));
    this.#child.stdin?.end(options.input ?? '');
  }

  get printed(): string {
    return this.#printed;
  }

  #note(piece: string): void {
    this.#printed = (this.#printed + piece).slice(-outputBytesMax);
    this.#look();
  }

  /** The first match in what it prints. Throws what it printed when it ends, or a minute passes, without one. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    const found = new Promise<RegExpExecArray>((resolve) => {
      this.#look = () => {
        const match = pattern.exec(this.#printed);
        if (match !== null) resolve(match);
      };
      this.#look();
    });
    const patience = new AbortController();
    const silence = wait(readyTimeoutMs, undefined, { signal: patience.signal }).catch(() => undefined);
    const outcome = await Promise.race([found, this.exited, silence]);
    patience.abort();
    if (Array.isArray(outcome)) return outcome;
    this.#child.kill('SIGKILL');
    throw new Error(`it never printed ${pattern}:\n${this.#printed}`);
  }

  /** The numbers of the account it runs as, and the rights it has. */
  async identity(): Promise<{ readonly uid: number; readonly capabilities: string }> {
    const { stdout } = await promisify(execFile)('cat', [`/proc/${this.#child.pid}/status`]);
    const line = (name: string): string => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(stdout)?.[1] ?? '';
    return { uid: Number(line('Uid')), capabilities: line('CapEff') };
  }

  /** Runs a shell command beside it, in its tree and with its environment, as an engine does to ask for its health. */
  async execute(command: string): Promise<string> {
    const { image, env } = this.#options;
    const values = Object.entries({ ...image.environment, ...env }).map(([name, value]) => `${name}=${value}`);
    const within = ['--mount', '--root', '--wd', '--target', String(this.#child.pid), 'env', '-i', ...values];
    const { stdout } = await promisify(execFile)('nsenter', [...within, '/bin/sh', '-c', command]);
    return stdout;
  }

  /** Asks it to end, and answers its exit status. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    return this.exited;
  }
}

/** Makes a folder that the account of a container may write. */
export function makeVolume(path: string, owner: number): string {
  mkdirSync(path, { recursive: true });
  chownSync(path, owner, owner);
  return path;
}

function startScript({ image, command, env, user, volumes }: ContainerOptions): string {
  const root = quoted(image.root);
  const binds = Object.entries(volumes ?? {}).map(
    ([at, from]) => `mount --bind ${quoted(from)} ${quoted(join(image.root, at))}`,
  );
  const values = Object.entries({ ...image.environment, ...env }).map(([name, value]) => quoted(`${name}=${value}`));
  const account = user ?? image.user;
  const kept = account === undefined ? rightsOfRoot.map((right) => `,+${right}`).join('') : '';
  const [uid = '0', gid = uid] = (account ?? '0').split(':');
  // The rights are given up inside: to change the root is one of them.
  const rights =
    account === undefined
      ? `--bounding-set=-all${kept}`
      : `--reuid=${uid} --regid=${gid} --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs`;
  return [
    'set -euo pipefail',
    `mount --bind ${root} ${root}`,
    `mount -t proc proc ${quoted(join(image.root, 'proc'))}`,
    `mount -t tmpfs tmpfs ${quoted(join(image.root, 'tmp'))}`,
    ...binds,
    `mount -o remount,ro,bind ${root}`,
    `exec chroot ${root} env -i ${values.join(' ')} setpriv ${rights} /bin/sh -c ${quoted(`cd ${quoted(image.folder)} && exec "$@"`)} sh ${command.map(quoted).join(' ')}`,
  ].join('\n');
}
