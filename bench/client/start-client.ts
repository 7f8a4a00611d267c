import { spawn } from 'node:child_process';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
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
}

const nodeFlags = JSON.parse(
  readFileSync(new URL('../../packages/client/bin/node-flags.json', import.meta.url), 'utf8'),
) as string[];
const command = fileURLToPath(new URL('../../packages/client/src/cli/main.ts', import.meta.url));

/** Starts `openmesh-client run` with its defaults, but for places and the delay before a file is picked up. */
export function startClient({
  home,
  root,
  mailbox,
  password,
  port,
  credentials,
  parallel,
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
  const child = spawn(process.execPath, [...nodeFlags, command, 'run', file], {
    stdio: ['ignore', log, log],
    env: { PATH: process.env.PATH, NODE_OPTIONS: process.env.BENCH_CLIENT_NODE_OPTIONS ?? '' },
  });
  if (child.pid === undefined) throw new Error('the client has no process id');
  return { pid: child.pid, stop: stopper(child) };
}
