import { mkdirSync, rmSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type CredentialFiles, type Credentials, makeCredentials } from '../certificates.ts';
import { ClientConnection } from '../client-connection.ts';
import { type NumberFlags, readFlags, UsageError } from '../flags.ts';
import { mailboxesOf, mailboxPairs, sharedKey } from '../mailboxes.ts';
import { LargePayload } from '../payload.ts';
import {
  baselineCheckout,
  baselineSettings,
  type ExchangeOptions,
  provision,
  type RunningServer,
  startExchange,
} from '../server-under-test.ts';
import { median, rounded } from '../statistics.ts';
import { withWorkDirectory } from '../work-directory.ts';
import { type Direction, type LargeLeg, measureLeg } from './leg.ts';
import { startNginx } from './nginx.ts';
import { type Chunk, type ChunkStore, cutIntoChunks, exchangeStore, nginxStore } from './stores.ts';

export const largeFlags = {
  gigabytes: { default: 1, min: 1, max: 100, help: 'size of the message, 1,000,000,000 bytes each' },
  'chunk-mib': { default: 100, min: 1, max: 100, help: 'size of a chunk, 1,048,576 bytes each' },
  parallel: { default: 1, min: 1, max: 16, help: 'connections that share the chunks' },
  rounds: { default: 3, min: 1, max: 50, help: 'times each server moves the message, in turn' },
  'warm-up-chunks': {
    default: 4,
    min: 0,
    max: 100,
    help: 'chunks each server takes and gives before the clock starts',
  },
  'nginx-only': { default: 0, min: 0, max: 1, help: '1: measure nginx alone' },
} as const satisfies NumberFlags;

type Flags = ReturnType<typeof readFlags<typeof largeFlags>>;

export const largeSummary = 'upload and download one large message in chunks; the exchange beside nginx PUT and GET';

interface Round {
  readonly flags: Flags;
  readonly chunks: readonly Chunk[];
  readonly payload: LargePayload;
  readonly files: CredentialFiles;
  readonly credentials: Credentials;
}

interface Contender {
  /** For one message of so many chunks. */
  readonly newStore: (chunkCount: number) => ChunkStore;
  readonly server: RunningServer;
}

/** Moves the message both ways through both servers, round after round, and compares the medians. */
export async function runLarge(args: readonly string[]): Promise<object> {
  const flags = readFlags(args, largeFlags);
  const bytes = flags.gigabytes * 1e9;
  const chunks = cutIntoChunks(bytes, flags['chunk-mib'] * 1024 * 1024);
  return withWorkDirectory(async (directory) => {
    await refuseSmallDisk(directory, bytes + flags['warm-up-chunks'] * flags['chunk-mib'] * 1024 * 1024);
    const { files, texts: credentials } = await makeCredentials(directory);
    const round = { flags, chunks, payload: new LargePayload(), files, credentials };
    const legs: LargeLeg[] = [];
    for (let number = 1; number <= flags.rounds; number += 1) {
      console.error(`round ${number}/${flags.rounds}`);
      // New servers and an empty disk each round: a peak of memory is then one round's, and the disk never fills.
      const place = join(directory, 'round');
      mkdirSync(place);
      legs.push(...(await runRound(round, place)));
      rmSync(place, { recursive: true, force: true });
    }
    return summarise(flags, legs);
  });
}

async function refuseSmallDisk(directory: string, bytes: number): Promise<void> {
  const disk = await statfs(directory);
  const needed = bytes * 2 * 1.1;
  const free = disk.bavail * disk.bsize;
  if (free < needed) {
    throw new UsageError(
      `This needs ${rounded(needed / 1e9, 1)} GB free under ${directory} and there are ${rounded(free / 1e9, 1)}: ` +
        'choose fewer --gigabytes, or another disk with BENCH_DIRECTORY.',
    );
  }
}

async function runRound(round: Round, directory: string): Promise<LargeLeg[]> {
  const contenders: Contender[] = [];
  try {
    contenders.push({ newStore: nginxStore, server: await startNginx(directory, round.files) });
    if (round.flags['nginx-only'] === 0) {
      const common = { credentials: round.files, sharedKey };
      if (baselineCheckout !== undefined) {
        const beside = { checkout: baselineCheckout, settings: baselineSettings };
        contenders.push(...(await enter('baseline', { ...common, ...beside, directory: join(directory, 'baseline') })));
      }
      contenders.push(...(await enter('exchange', { ...common, directory: join(directory, 'exchange') })));
    }
    for (const contender of contenders) await warmUp(round, contender);
    const entrants = contenders.map(({ newStore, server }) => ({ store: newStore(round.chunks.length), server }));
    const legs: LargeLeg[] = [];
    for (const direction of ['upload', 'download'] as const) {
      for (const { store, server } of entrants) legs.push(await runDirection(round, store, server, direction));
    }
    return legs;
  } finally {
    for (const { server } of contenders) await server.stop();
  }
}

/** An exchange with a pair of mailboxes, on an empty disk. */
async function enter(name: 'exchange' | 'baseline', options: ExchangeOptions): Promise<Contender[]> {
  const pairs = mailboxPairs(1);
  mkdirSync(options.directory);
  await provision(options, mailboxesOf(pairs));
  const server = await startExchange(options);
  return pairs.map((pair) => ({ newStore: (count) => exchangeStore(name, pair, sharedKey, count), server }));
}

/**
 * A message of its own up and down, not counted: a server that just started compiles its code, starts its threads and
 * meets memory for the first time, and in a message of one gigabyte that is much of the whole.
 */
async function warmUp({ flags, payload, credentials }: Round, { newStore, server }: Contender): Promise<void> {
  const chunkBytes = flags['chunk-mib'] * 1024 * 1024;
  const chunks = cutIntoChunks(flags['warm-up-chunks'] * chunkBytes, chunkBytes);
  const store = newStore(chunks.length);
  const connection = await ClientConnection.open({ port: server.port, credentials, payload });
  try {
    for (const chunk of chunks) await store.upload(connection, chunk);
    for (const chunk of chunks) await store.download(connection, chunk);
  } finally {
    connection.close();
  }
}

async function runDirection(
  round: Round,
  store: ChunkStore,
  server: RunningServer,
  direction: Direction,
): Promise<LargeLeg> {
  const open = (): Promise<ClientConnection> =>
    ClientConnection.open({ port: server.port, credentials: round.credentials, payload: round.payload });
  const connections = await Promise.all(Array.from({ length: round.flags.parallel }, open));
  const bytes = round.chunks.reduce((sum, chunk) => sum + chunk.bytes, 0);
  const [first, ...rest] = round.chunks;
  try {
    return await measureLeg(store.name, direction, server.pid, bytes, async () => {
      // The first chunk goes alone: its answer names the message that the others belong to.
      if (first !== undefined && connections[0] !== undefined) await store[direction](connections[0], first);
      const shares = connections.map(async (connection, index) => {
        for (const chunk of rest.filter((_, at) => at % connections.length === index)) {
          await store[direction](connection, chunk);
        }
      });
      await Promise.all(shares);
    });
  } finally {
    for (const connection of connections) connection.close();
  }
}

function summarise(flags: Flags, legs: readonly LargeLeg[]): object {
  const of = (target: string, direction: Direction, figure: (leg: LargeLeg) => number): number =>
    median(legs.filter((leg) => leg.target === target && leg.direction === direction).map(figure));
  const compare = (direction: Direction): object => {
    const speed = (target: string): number => of(target, direction, (leg) => leg.mbPerSecond);
    const cpu = (target: string): number => of(target, direction, (leg) => leg.serverCpuMsPerMb);
    return {
      nginxMbPerSecond: rounded(speed('nginx'), 0),
      exchangeMbPerSecond: rounded(speed('exchange'), 0),
      ratio: rounded(speed('exchange') / speed('nginx')),
      nginxCpuMsPerMb: rounded(cpu('nginx')),
      exchangeCpuMsPerMb: rounded(cpu('exchange')),
      ...(baselineCheckout !== undefined && {
        baselineMbPerSecond: rounded(speed('baseline'), 0),
        baselineCpuMsPerMb: rounded(cpu('baseline')),
      }),
      generatorBound: legs
        .filter((leg) => leg.direction === direction && leg.generatorBound)
        .map((leg) => leg.target)
        .filter((target, index, all) => all.indexOf(target) === index),
    };
  };
  const peaks = legs.filter((leg) => leg.target === 'exchange').map((leg) => leg.serverResidentPeakMiB);
  return {
    flags,
    upload: compare('upload'),
    download: compare('download'),
    exchangeResidentPeakMiB: peaks.length === 0 ? null : Math.max(...peaks),
    legs,
  };
}
