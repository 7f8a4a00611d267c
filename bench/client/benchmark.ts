import { existsSync, mkdirSync, readdirSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type CredentialFiles, makeCredentials } from '../certificates.ts';
import { type NumberFlags, readFlags } from '../flags.ts';
import { mailboxesOf, mailboxPairs, sharedKey } from '../mailboxes.ts';
import { cpuMicros, residentMiB } from '../process-usage.ts';
import { provision, type RunningServer, startExchange } from '../server-under-test.ts';
import { withServer } from '../with-server.ts';
import { withWorkDirectory } from '../work-directory.ts';
import { packedProgram, type RunningClient, sourceProgram, startClient } from './start-client.ts';

export const clientSummary = 'the folder client: small files a second from one folder, and one large file both ways';

export const clientFlags = {
  files: { default: 2000, min: 0, max: 1_000_000, help: 'small files dropped into one OUT before the clock starts' },
  bytes: { default: 2000, min: 1, max: 1_000_000, help: 'size of each' },
  parallel: { default: 1, min: 1, max: 16, help: 'pairs under way at a time (ParallelSends)' },
  gigabytes: { default: 1, min: 0, max: 100, help: 'size of the large file; 0 leaves it out' },
  compress: { default: 0, min: 0, max: 1, help: '1: the large file is packed on the way' },
  pack: { default: 0, min: 0, max: 1, help: '1: the client of the installation pack, compiled, instead of the source' },
} as const satisfies NumberFlags;

const [pair] = mailboxPairs(1);
const waitMs = 50;

interface Bench {
  readonly directory: string;
  readonly server: RunningServer;
  readonly credentials: CredentialFiles;
  readonly parallel: number;
  readonly program: readonly string[];
}

/** Starts exchange and client, measures both parts, and answers with the figures. */
export async function runClient(args: readonly string[]): Promise<object> {
  const flags = readFlags(args, clientFlags);
  return withWorkDirectory(async (directory) => {
    if (pair === undefined) throw new Error('there is no pair of mailboxes');
    const { files: credentials } = await makeCredentials(directory);
    const options = { directory, credentials, sharedKey };
    await provision(options, mailboxesOf([pair]));
    return withServer(startExchange(options), async (server) => {
      const program = flags.pack === 1 ? packedProgram(directory) : sourceProgram();
      const bench: Bench = { directory, server, credentials, parallel: flags.parallel, program };
      const small = flags.files === 0 ? null : await sendSmall(bench, flags.files, flags.bytes);
      const large =
        flags.gigabytes === 0 ? null : await moveLarge(bench, flags.gigabytes, flags.compress === 1 ? 'Y' : 'N');
      return { flags, small, large };
    });
  });
}

function client(
  bench: Bench,
  name: string,
  side: 'sender' | 'recipient',
): { start: () => RunningClient; root: string } {
  if (pair === undefined) throw new Error('there is no pair of mailboxes');
  const home = join(bench.directory, name);
  const { mailbox, password } = pair[side];
  const root = join(home, mailbox);
  for (const folder of ['IN', 'OUT', 'SENT', 'FAILED', 'TEMP']) mkdirSync(join(root, folder), { recursive: true });
  const { port } = bench.server;
  const { credentials, parallel, program } = bench;
  return { root, start: () => startClient({ home, root, mailbox, password, port, credentials, parallel, program }) };
}

/** Pairs that all lie in OUT when the client starts; the clock runs from the first in SENT to the last. */
async function sendSmall(bench: Bench, files: number, bytes: number): Promise<object> {
  const { root, start } = client(bench, 'small', 'sender');
  const body = Buffer.alloc(bytes, 'a line of a report\n');
  for (let file = 0; file < files; file += 1) drop(root, `SMALL${String(file).padStart(8, '0')}`, body, 'N');
  const running = start();
  try {
    const count = (): number => readdirSync(join(root, 'SENT')).length / 2;
    await until(() => count() >= 1);
    const [from, cpuFrom, had] = [performance.now(), cpuMicros(running.pid), count()];
    await until(() => count() >= files);
    const seconds = (performance.now() - from) / 1000;
    return {
      filesPerSecond: Math.round((files - had) / seconds),
      clientCpuMicrosPerFile: Math.round((cpuMicros(running.pid) - cpuFrom) / (files - had)),
      clientResidentPeakMiB: Math.round(residentMiB(running.pid).peak),
    };
  } finally {
    await running.stop();
  }
}

/** One sparse file up by one client and down by another. */
async function moveLarge(bench: Bench, gigabytes: number, compress: 'Y' | 'N'): Promise<object> {
  const sender = client(bench, 'large-up', 'sender');
  const body = join(sender.root, 'TEMP', 'large');
  writeFileSync(body, '');
  truncateSync(body, gigabytes * 1_000_000_000);
  renameSync(body, join(sender.root, 'OUT', 'LARGE00000001.dat'));
  dropControl(sender.root, 'LARGE00000001', compress);
  const up = await timed(sender, () => readdirSync(join(sender.root, 'SENT')).length === 2, gigabytes);
  const recipient = client(bench, 'large-down', 'recipient');
  // Small messages of the other part come first; the control file is moved in right after its data.
  const isThere = (): boolean => {
    const large = readdirSync(join(recipient.root, 'IN')).find((name) => isOfSize(recipient.root, name, gigabytes));
    return large !== undefined && existsSync(join(recipient.root, 'IN', large.replace(/\.dat$/, '.ctl')));
  };
  const down = await timed(recipient, isThere, gigabytes);
  return { gigabytes, up, down };
}

function isOfSize(root: string, name: string, gigabytes: number): boolean {
  return name.endsWith('.dat') && statSync(join(root, 'IN', name)).size === gigabytes * 1_000_000_000;
}

async function timed(
  { start }: { start: () => RunningClient },
  isDone: () => boolean,
  gigabytes: number,
): Promise<object> {
  const running = start();
  try {
    const from = performance.now();
    await until(isDone);
    const seconds = (performance.now() - from) / 1000;
    return {
      megabytesPerSecond: Math.round((gigabytes * 1000) / seconds),
      clientResidentPeakMiB: Math.round(residentMiB(running.pid).peak),
    };
  } finally {
    await running.stop();
  }
}

function drop(root: string, base: string, body: Buffer, compress: 'Y' | 'N'): void {
  writeFileSync(join(root, 'OUT', `${base}.dat`), body);
  dropControl(root, base, compress);
}

function dropControl(root: string, base: string, compress: 'Y' | 'N'): void {
  const control = [
    '<DTSControl><Version>1.0</Version><AddressType>DTS</AddressType><MessageType>Data</MessageType>',
    `<To_DTS>${pair?.recipient.mailbox}</To_DTS><WorkflowId>BENCHMARK</WorkflowId><LocalId>${base}</LocalId>`,
    `<Compress>${compress}</Compress><AllowChunking>Y</AllowChunking></DTSControl>`,
  ];
  writeFileSync(join(root, 'OUT', `${base}.ctl`), control.join(''));
}

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await setTimeout(waitMs);
}
