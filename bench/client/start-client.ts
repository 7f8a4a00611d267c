import { execFileSync, spawn } from 'node:child_process';
import { openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CredentialFiles } from '../certificates.ts';
import { sharedKey } from '../mailboxes.ts';
import { stopper } from '../stop-child.ts';

export interface RunningClient {
  readonly pid: number;
  stop(): Promise<void>;
}

export interface ClientOptions {
  readonly home: string;
  readonly root: string;
  readonly mailbox: string;
  readonly password: string;
  readonly port: number;
  readonly credentials: CredentialFiles;
  readonly parallel: number;
  /** A command and the arguments before the client's own. */
  readonly program: readonly string[];
}

const repository = fileURLToPath(new URL('../../', import.meta.url));

/** Node, its flags and the client's entry, as the launcher of the source starts them. */
export function sourceProgram(): readonly string[] {
  const client = join(repository, 'packages/client');
  const flags = JSON.parse(readFileSync(join(client, 'bin/node-flags.json'), 'utf8')) as string[];
  return [process.execPath, ...flags, join(client, 'src/cli/main.ts')];
}

/** Builds the installation pack for Linux and answers with its launcher, which becomes the client's process. */
export function packedProgram(directory: string): readonly string[] {
  const packs = join(directory, 'packs');
  execFileSync(process.execPath, [join(repository, 'scripts/build-client-pack.js'), packs, 'linux-x64'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const archive = readdirSync(packs).find((name) => name.endsWith('.tar.gz'));
  if (archive === undefined) throw new Error('there is no pack');
  execFileSync('tar', ['xzf', join(packs, archive), '-C', packs]);
  return [join(packs, archive.replace(/\.tar\.gz$/, ''), 'openmesh-client')];
}

/** Starts `openmesh-client run` with its defaults, but for places and the delay before a file is picked up. */
export function startClient({
  home,
  root,
  mailbox,
  password,
  port,
  credentials,
  parallel,
  program: [command = '', ...before],
}: ClientOptions): RunningClient {
  const file = join(home, 'openmesh-client.yaml');
  const lines = [
    `url: https://127.0.0.1:${port}`,
    `sharedKey: ${sharedKey}`,
    `certificateFile: ${credentials.clientCert}`,
    `keyFile: ${credentials.clientKey}`,
    `authorityFile: ${credentials.ca}`,
    'processingDelaySeconds: 1',
    'maxMessages: 1000',
    'mailboxes:',
    `  - id: ${mailbox}`,
    `    password: ${password}`,
    `    root: ${root}`,
    `    parallelSends: ${parallel}`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const log = openSync(join(home, 'output'), 'a');
  const child = spawn(command, [...before, 'run', file], {
    stdio: ['ignore', log, log],
    env: { PATH: process.env.PATH, NODE_OPTIONS: process.env.BENCH_CLIENT_NODE_OPTIONS ?? '' },
  });
  if (child.pid === undefined) throw new Error('the client has no process id');
  return { pid: child.pid, stop: stopper(child) };
}
