import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type CredentialFiles, odsCode } from './certificates.ts';
import { stopper } from './stop-child.ts';
import type { Caller } from './token.ts';

/** A server in a process of its own, listening with mutual TLS on 127.0.0.1. */
export interface RunningServer {
  readonly pid: number;
  readonly port: number;
  /** Further processes of the same exchange, which keep their records in one place with it. */
  readonly otherNodes?: readonly { readonly pid: number; readonly port: number }[];
  /** The first process of the database it keeps its records in, where that is another program. */
  readonly databasePid?: number;
  /** Ends the process and resolves when it is gone; at once when it is gone already. */
  stop(): Promise<void>;
}

export interface ExchangeOptions {
  /** For the ledger and the bodies; what is there from an earlier start is kept. */
  readonly directory: string;
  readonly credentials: CredentialFiles;
  readonly sharedKey: string;
  /** The checkout whose exchange is started; this one when absent. */
  readonly checkout?: string;
  /** Settings besides those of every run, and instead of them. */
  readonly settings?: Readonly<Record<string, string>>;
}

const here = fileURLToPath(new URL('..', import.meta.url));
const commandOf = (checkout: string): string => join(checkout, 'packages/exchange/src/cli/main.ts');
/** Another checkout of this repository, installed, to be measured beside this one. */
export const baselineCheckout = process.env.BENCH_BASELINE;

/** What the baseline is started with besides: NAME=VALUE, separated by spaces. */
export const baselineSettings: Readonly<Record<string, string>> = Object.fromEntries(
  (process.env.BENCH_BASELINE_SETTINGS ?? '')
    .split(' ')
    .filter((each) => each.includes('='))
    .map((each) => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)]),
);
const readyWithinMs = 600_000;

/** Where `startExchange` keeps its records under `directory`. */
export function ledgerPath(directory: string): string {
  return join(directory, 'ledger.sqlite');
}

/** Makes the ledger, with these mailboxes active, by the exchange's own `import`. */
export async function provision(options: ExchangeOptions, mailboxes: readonly Caller[]): Promise<void> {
  const file = join(options.directory, 'mailboxes.ndjson');
  const lines = mailboxes.flatMap(({ mailbox: mailboxId, password }) => [
    { kind: 'mailbox', mailboxId, name: mailboxId, odsCode, orgCode: odsCode },
    { kind: 'credential', mailboxId, password },
  ]);
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  await importFile(options, file);
}

/** Has the exchange import a file of its registry. */
export async function importFile(options: ExchangeOptions, file: string, flags: readonly string[] = []): Promise<void> {
  const child = spawn(process.execPath, [commandOf(options.checkout ?? here), 'import', file, ...flags], {
    env: environment(options),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`the exchange's import ended with status ${code}`);
}

/** Starts the exchange in its live profile; resolves when it is ready, rejects when it ends before. */
export async function startExchange(options: ExchangeOptions): Promise<RunningServer> {
  const log = openSync(join(options.directory, 'exchange.log'), 'a');
  const child = spawn(process.execPath, [commandOf(options.checkout ?? here), 'serve'], {
    env: environment(options),
    stdio: ['ignore', log, 'pipe'],
  });
  const stop = stopper(child);
  const exited = once(child, 'exit');
  const port = await Promise.race([readyPort(child), exited.then(([code]) => endedEarly(options, code))]);
  if (child.pid === undefined) throw new Error('the exchange has no process id');
  return {
    pid: child.pid,
    port,
    stop,
  };
}

function endedEarly(options: ExchangeOptions, code: unknown): never {
  throw new Error(`the exchange ended with status ${String(code)} before it was ready; see ${options.directory}`);
}

async function readyPort(child: ChildProcess): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const late = setTimeout(() => reject(new Error(`the exchange was not ready in ${readyWithinMs} ms`)), readyWithinMs);
  if (child.stderr === null) throw new Error('the exchange has no standard error');
  createInterface({ input: child.stderr }).on('line', (line) => {
    const match = /^ready machines=https:\/\/[^ ]*:(\d+)(?: |$)/.exec(line);
    if (match === null) console.error(`exchange: ${line}`);
    else resolve(Number(match[1]));
  });
  try {
    return await promise;
  } finally {
    clearTimeout(late);
  }
}

/** Default settings of the live profile but for places, addresses, and rates that only a load generator reaches. */
function environment({ directory, credentials, sharedKey, settings }: ExchangeOptions): NodeJS.ProcessEnv {
  const secretKeyFile = join(directory, 'secret.key');
  writeFileSync(secretKeyFile, createHash('sha256').update('benchmark').digest('hex'), { mode: 0o600 });
  return {
    PATH: process.env.PATH,
    // As the units and the launcher start it.
    MALLOC_ARENA_MAX: '2',
    // For a profile of the server alone, e.g. "--cpu-prof --cpu-prof-dir=/tmp/profiles".
    NODE_OPTIONS: process.env.BENCH_NODE_OPTIONS ?? '',
    OPENMESH_PROFILE: 'live',
    OPENMESH_LEDGER: `sqlite:${ledgerPath(directory)}`,
    OPENMESH_BODIES: `file:${join(directory, 'bodies')}`,
    OPENMESH_SECRET_KEY_FILE: secretKeyFile,
    OPENMESH_SHARED_KEY: sharedKey,
    OPENMESH_MACHINES_HOST: '127.0.0.1',
    OPENMESH_MACHINES_PORT: '0',
    OPENMESH_OPERATORS_PORT: '0',
    OPENMESH_TLS_CERTIFICATE_FILE: credentials.serverCert,
    OPENMESH_TLS_KEY_FILE: credentials.serverKey,
    OPENMESH_TLS_CA_FILE: credentials.ca,
    OPENMESH_THROTTLE_REQUESTS_PER_SECOND: '10000',
    OPENMESH_THROTTLE_BURST: '10000',
    OPENMESH_KEEP_ALIVE_SECONDS: '600',
    ...settings,
  };
}
