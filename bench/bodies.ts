// The body store alone, without TLS and HTTP: hash + write + flush, then read + verify, in bodies of 100 MB.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Bodies, DurableBody } from '@openmesh/exchange/store/bodies.ts';
import { blockBuffersDefault, createDiskBodies } from '@openmesh/exchange/store/disk/disk-bodies.ts';
import { nodeFileSystem } from '@openmesh/exchange/store/disk/file-system.ts';

const megabyte = 1_000_000;
const bodyBytes = 100 * megabyte;
/** The size of what a TLS socket hands over. */
const sliceBytes = 64 * 1024;

export interface BodiesBenchOptions {
  /** Bytes moved each way, in units of 1,000,000. */
  readonly megabytes: number;
  /** Bodies moved at a time. */
  readonly parallel: number;
  /** Where the files go, so that another disk can be measured. */
  readonly directory: string;
}

export interface BodiesBenchResult {
  readonly megabytes: number;
  readonly parallel: number;
  readonly writeMBs: number;
  readonly writeCpuMsPerMB: number;
  /** From the page cache, digests checked. */
  readonly readMBs: number;
  readonly readCpuMsPerMB: number;
  readonly peakRssMiB: number;
}

/** Measures the disk body store. A first pass, not counted, starts the threads and touches the memory. */
export async function benchBodies(options: BodiesBenchOptions): Promise<BodiesBenchResult> {
  const root = await mkdtemp(join(options.directory, 'openmesh-bench-bodies-'));
  const bodies = await createDiskBodies({
    root,
    fileSystem: nodeFileSystem,
    reserveBytes: 0,
    blockBuffers: blockBuffersDefault,
    clock: { nowMs: () => Date.now() },
    randomKey: () => randomBytes(16).toString('hex'),
  });
  try {
    const slice = randomBytes(sliceBytes);
    const count = Math.max(1, Math.round((options.megabytes * megabyte) / bodyBytes));
    const stored: DurableBody[] = [];
    // A virtual machine's first touch of a page costs ten times the write: without this pass that would be measured.
    for (let n = 0; n < count; n += 1) stored.push(await writeBody(bodies, slice));
    await bodies.remove(stored.splice(0).map((body) => body.ref));
    const written = await measure(async () => {
      await inParallel(options.parallel, count, async () => stored.push(await writeBody(bodies, slice)));
    });
    const read = await measure(() =>
      inParallel(options.parallel, count, async (n) => readBody(bodies, stored[n] as DurableBody)),
    );
    const moved = (count * bodyBytes) / megabyte;
    return {
      megabytes: moved,
      parallel: options.parallel,
      writeMBs: Math.round((moved / written.ms) * 1000),
      writeCpuMsPerMB: Number((written.cpuMs / moved).toFixed(2)),
      readMBs: Math.round((moved / read.ms) * 1000),
      readCpuMsPerMB: Number((read.cpuMs / moved).toFixed(2)),
      peakRssMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    };
  } finally {
    await bodies.close();
    await rm(root, { recursive: true, force: true });
  }
}

async function writeBody(bodies: Bodies, slice: Buffer): Promise<DurableBody> {
  const sink = await bodies.create();
  let turn = 0;
  for (let left = bodyBytes; left > 0; left -= slice.length) {
    await sink.write(left < slice.length ? slice.subarray(0, left) : slice);
    // A socket hands over its bytes in turns of the event loop, some slices a turn.
    turn += 1;
    if (turn % 8 === 0) await new Promise(setImmediate);
  }
  return sink.finish();
}

async function readBody(bodies: Bodies, body: DurableBody): Promise<void> {
  for await (const block of bodies.read(body.ref, body)) block.release();
}

async function inParallel(lanes: number, count: number, job: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const n = next;
      next += 1;
      await job(n);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

async function measure(work: () => Promise<void>): Promise<{ ms: number; cpuMs: number }> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const ms = performance.now() - start;
  const used = process.cpuUsage(cpu);
  return { ms, cpuMs: (used.user + used.system) / 1000 };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      megabytes: { type: 'string', default: '1000' },
      parallel: { type: 'string', default: '1' },
      directory: { type: 'string', default: tmpdir() },
    },
  });
  const result = await benchBodies({
    megabytes: Number(values.megabytes),
    parallel: Number(values.parallel),
    directory: values.directory,
  });
  console.log(JSON.stringify(result));
}
