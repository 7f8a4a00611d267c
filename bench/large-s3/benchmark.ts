import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CephStore } from '../../tests/kit/engines/ceph.ts';
import { s3Environment } from '../../tests/kit/engines/s3-environment.ts';
import { makeCredentials } from '../certificates.ts';
import { ClientConnection } from '../client-connection.ts';
import { type NumberFlags, readFlags } from '../flags.ts';
import { type Direction, type LargeLeg, measureLeg } from '../large/leg.ts';
import { type Chunk, cutIntoChunks, exchangeStore } from '../large/stores.ts';
import { mailboxesOf, mailboxPairs, sharedKey } from '../mailboxes.ts';
import { LargePayload } from '../payload.ts';
import { provision, startExchange } from '../server-under-test.ts';
import { median, rounded } from '../statistics.ts';
import { withServer } from '../with-server.ts';
import { withWorkDirectory } from '../work-directory.ts';
import { DirectBucket } from './direct.ts';

export const largeS3Flags = {
  gigabytes: { default: 1, min: 1, max: 3, help: 'size of the message, 1,000,000,000 bytes each' },
  'chunk-mib': { default: 100, min: 1, max: 100, help: 'size of a chunk, 1,048,576 bytes each' },
  parallel: { default: 1, min: 1, max: 16, help: 'connections that share the chunks' },
  rounds: { default: 3, min: 1, max: 50, help: 'times each moves the message, in turn' },
} as const satisfies NumberFlags;

export const largeS3Summary = 'large --bodies s3: the exchange on S3 beside the same engine driven directly';

type Flags = ReturnType<typeof readFlags<typeof largeS3Flags>>;

/** Moves one chunk over lane `lane`. */
type Mover = Readonly<Record<Direction, (chunk: Chunk, lane: number) => Promise<void>>>;

interface Contender {
  readonly name: 'direct' | 'exchange';
  /** Whose CPU and memory is looked at; the engine's is in what the machine used besides. */
  readonly pid: number;
  /** For a message of its own. */
  readonly newMover: (chunkCount: number) => Mover;
}

/** Moves the message both ways through an exchange on Ceph and through Ceph's client alone, and compares the medians. */
export async function runLargeS3(args: readonly string[]): Promise<object> {
  const flags = readFlags(args, largeS3Flags);
  const chunkBytes = flags['chunk-mib'] * 1024 * 1024;
  const chunks = cutIntoChunks(flags.gigabytes * 1e9, chunkBytes);
  const legs: LargeLeg[] = [];
  await withWorkDirectory(async (directory) => {
    const { files, texts: credentials } = await makeCredentials(directory);
    const payload = new LargePayload();
    for (let number = 1; number <= flags.rounds; number += 1) {
      console.error(`round ${number}/${flags.rounds}`);
      // A new engine each round: what it does with what was deleted would disturb the next.
      await using ceph = await CephStore.start();
      const bucket = new DirectBucket(ceph, payload);
      await bucket.create();
      const place = join(directory, `round-${number}`);
      mkdirSync(place);
      const settings = s3Environment(ceph, bucket.name, 'exchange');
      const options = { directory: place, credentials: files, sharedKey, settings };
      const pairs = mailboxPairs(1);
      await provision(options, mailboxesOf(pairs));
      await withServer(startExchange(options), async (server) => {
        const open = () => ClientConnection.open({ port: server.port, credentials, payload });
        const lanes = await Promise.all(Array.from({ length: flags.parallel }, open));
        const contenders = [directly(bucket), ...pairs.map((pair) => through(server.pid, lanes, pair))];
        for (const { newMover } of contenders) await warmUp(newMover, chunkBytes);
        const movers = contenders.map(({ newMover }) => newMover(chunks.length));
        for (const direction of ['upload', 'download'] as const) {
          for (const [at, { name, pid }] of contenders.entries()) {
            const mover = movers[at];
            if (mover !== undefined) legs.push(await leg(flags, name, pid, mover, direction, chunks));
          }
        }
        for (const lane of lanes) lane.close();
      });
      bucket.close();
    }
  });
  return summarise(flags, legs);
}

function directly(bucket: DirectBucket): Contender {
  const mover = { upload: (chunk: Chunk) => bucket.upload(chunk), download: (chunk: Chunk) => bucket.download(chunk) };
  return { name: 'direct', pid: process.pid, newMover: () => mover };
}

function through(
  pid: number,
  lanes: readonly ClientConnection[],
  pair: ReturnType<typeof mailboxPairs>[number],
): Contender {
  return {
    name: 'exchange',
    pid,
    newMover(chunkCount) {
      const store = exchangeStore('exchange', pair, sharedKey, chunkCount);
      const on = (direction: Direction) => (chunk: Chunk, lane: number) => {
        const connection = lanes[lane];
        if (connection === undefined) throw new Error(`there is no lane ${lane}`);
        return store[direction](connection, chunk);
      };
      return { upload: on('upload'), download: on('download') };
    },
  };
}

/** Not counted: code is compiled, threads are started and memory is met for the first time. */
async function warmUp(newMover: Contender['newMover'], chunkBytes: number): Promise<void> {
  const chunks = cutIntoChunks(2 * chunkBytes, chunkBytes);
  const mover = newMover(chunks.length);
  for (const direction of ['upload', 'download'] as const) for (const chunk of chunks) await mover[direction](chunk, 0);
}

function leg(
  flags: Flags,
  name: string,
  pid: number,
  mover: Mover,
  direction: Direction,
  chunks: readonly Chunk[],
): Promise<LargeLeg> {
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.bytes, 0);
  const [first, ...rest] = chunks;
  return measureLeg(name, direction, pid, bytes, async () => {
    if (first !== undefined) await mover[direction](first, 0);
    const lanes = Array.from({ length: flags.parallel }, async (_, lane) => {
      for (const chunk of rest.filter((_each, at) => at % flags.parallel === lane)) await mover[direction](chunk, lane);
    });
    await Promise.all(lanes);
  });
}

function summarise(flags: Flags, legs: readonly LargeLeg[]): object {
  const of = (name: string, direction: Direction): number =>
    median(legs.filter((each) => each.target === name && each.direction === direction).map((each) => each.mbPerSecond));
  const compare = (direction: Direction): object => ({
    directMbPerSecond: rounded(of('direct', direction), 0),
    exchangeMbPerSecond: rounded(of('exchange', direction), 0),
    ratio: rounded(of('exchange', direction) / of('direct', direction)),
  });
  const peaks = legs.filter((each) => each.target === 'exchange').map((each) => each.serverResidentPeakMiB);
  const exchangeResidentPeakMiB = Math.max(...peaks);
  return { flags, upload: compare('upload'), download: compare('download'), exchangeResidentPeakMiB, legs };
}
