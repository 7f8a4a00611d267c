import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bodies, BodyFault } from '@openmesh/exchange/store/bodies.ts';
import { get, patterned, put, sameBytes, shapeFor } from '@openmesh/exchange/store/body-probe.ts';
import { createDiskBodies } from '@openmesh/exchange/store/disk/disk-bodies.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DiskFault } from '../kit/fault-script.ts';
import { ForgetfulDisk } from '../kit/forgetful-disk.ts';

const small = patterned(20_000, 1);
const large = patterned(9_000_000, 2);
/** Long enough to be flushed along the way. */
const long = patterned(40 * 1_048_576, 3);

describe('bodies on a failing disk', () => {
  let folder: string;
  let disk: ForgetfulDisk;
  let bodies: Bodies;
  let flushFailures: BodyFault[];
  let nowMs: number;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'openmesh-disk-faults-'));
    disk = new ForgetfulDisk(folder);
    flushFailures = [];
    nowMs = Date.UTC(2026, 10, 21, 12);
    let keys = 0;
    bodies = await createDiskBodies({
      root: join(folder, 'bodies'),
      fileSystem: disk,
      reserveBytes: 1_000_000,
      blockBuffers: 4,
      clock: { nowMs: () => nowMs },
      randomKey: () => `ab${String((keys += 1)).padStart(22, '0')}`,
      onFlushFailure: (fault) => flushFailures.push(fault),
    });
  });

  afterEach(async () => {
    disk.script();
    await bodies.close();
    expect(disk.openFiles).toBe(0);
    await rm(folder, { recursive: true });
  });

  async function filesLeft(): Promise<number> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).length;
  }

  /** What the store throws for a body that is written from end to end, or dropped at the first fault. */
  async function putFault(bytes: Buffer): Promise<unknown> {
    const sink = await bodies.create();
    try {
      for (let at = 0; at < bytes.length; at += 65_536) await sink.write(bytes.subarray(at, at + 65_536));
      return await sink.finish();
    } catch (fault) {
      await sink.abort();
      return fault;
    }
  }

  const full: DiskFault[] = [
    { operation: 'write', afterBytes: 0, kind: 'ENOSPC' },
    { operation: 'write', afterBytes: 5_000, kind: 'EDQUOT' },
    { operation: 'write', afterBytes: 3_000_000, kind: 'ENOSPC' },
  ];
  it.each(full)(
    'refuses a body as disk-full, leaves nothing of it, and goes on once there is space: $kind',
    async (fault) => {
      const kept = await put(bodies, large);
      disk.script(fault);
      expect(await putFault(large)).toMatchObject({ name: 'BodyFault', kind: 'disk-full' });
      expect(await filesLeft()).toBe(1);
      disk.script();
      const later = await put(bodies, small);
      expect(sameBytes(await get(bodies, later.ref, later), small)).toBe(true);
      expect(sameBytes(await get(bodies, kept.ref, kept), large)).toBe(true);
    },
  );

  it.each([small, large])('refuses a body whose flush failed, and never asks for that flush again', async (bytes) => {
    await put(bodies, small);
    const before = disk.faults.count('sync');
    disk.script({ operation: 'sync', nth: 1, kind: 'EIO' });
    expect(await putFault(bytes)).toMatchObject({ kind: 'io' });
    expect(disk.faults.count('sync')).toBe(before + 1);
    expect(flushFailures).toMatchObject([{ kind: 'io' }]);
    expect(await filesLeft()).toBe(1);
  });

  it('refuses a body whose flush along the way failed', async () => {
    disk.script({ operation: 'sync', nth: 1, kind: 'EIO' });
    expect(await putFault(long)).toMatchObject({ kind: 'io' });
    expect(disk.faults.count('sync')).toBe(1);
    expect(flushFailures).toHaveLength(1);
    expect(await filesLeft()).toBe(0);
  });

  it('refuses a body whose entry could not be flushed', async () => {
    await put(bodies, small);
    disk.script({ operation: 'syncDirectory', nth: 1, kind: 'EIO' });
    expect(await putFault(small)).toMatchObject({ kind: 'io' });
    expect(flushFailures).toHaveLength(1);
    expect(await filesLeft()).toBe(1);
  });

  it.each([1, 2])(
    'makes a folder anew when flushing its entry failed, so that its bodies survive a cut',
    async (nth) => {
      disk.script({ operation: 'syncDirectory', nth, kind: 'EIO' });
      await expect(bodies.create()).rejects.toMatchObject({ kind: 'io' });
      const body = await put(bodies, small);
      await disk.cut('none');
      expect(sameBytes(await get(bodies, body.ref, body), small)).toBe(true);
    },
  );

  it.each(['create', 'makeDirectory', 'close'] as const)('tells an error of %s as io', async (operation) => {
    disk.script({ operation, nth: 1, kind: 'EIO' });
    expect(await putFault(small).catch((error: unknown) => error)).toMatchObject({ kind: 'io' });
    expect(await filesLeft()).toBe(0);
  });

  it('goes on where a short write stopped', async () => {
    for (const nth of [1, 2, 5]) {
      disk.script({ operation: 'write', nth, kind: 'short' });
      const body = await put(bodies, large);
      expect(body).toMatchObject(shapeFor(large));
      expect(sameBytes(await get(bodies, body.ref, body), large)).toBe(true);
    }
  });

  it('tells a disk that takes no bytes and says nothing as io', async () => {
    disk.script({ operation: 'write', nth: 2, kind: 'nothing' });
    expect(await putFault(large)).toMatchObject({ kind: 'io' });
    expect(await filesLeft()).toBe(0);
  });

  it('goes on where a short read stopped', async () => {
    const body = await put(bodies, large);
    disk.script({ operation: 'read', nth: 2, kind: 'short' });
    expect(sameBytes(await get(bodies, body.ref, body), large)).toBe(true);
  });

  // A block is read in four parts of 1 MiB; the last block of these 9 MB is one part.
  it.each([
    [1, 0],
    [4, 0],
    [5, 1],
    [9, 2],
  ])('tells an error of read %i as io of block %i, which it met', async (nth, block) => {
    const body = await put(bodies, large);
    disk.script({ operation: 'read', nth, kind: 'EIO' });
    await expect(get(bodies, body.ref, body)).rejects.toMatchObject({ kind: 'io', block });
  });

  it('finds a bit that turned on its way to the disk, and one that turned on its way back', async () => {
    disk.script({ operation: 'write', nth: 6, kind: 'flip' });
    const rotten = await put(bodies, large);
    expect(rotten).toMatchObject(shapeFor(large));
    await expect(get(bodies, rotten.ref, rotten)).rejects.toMatchObject({ kind: 'corrupt', block: 1 });
    const sound = await put(bodies, large);
    disk.script({ operation: 'read', nth: 9, kind: 'flip' });
    await expect(get(bodies, sound.ref, sound)).rejects.toMatchObject({ kind: 'corrupt', block: 2 });
    disk.script();
    expect(sameBytes(await get(bodies, sound.ref, sound), large)).toBe(true);
  });

  it('refuses new bodies before the reserve is touched, while reading goes on, and takes them again when space returns', async () => {
    const kept = await put(bodies, small);
    nowMs += 60_000;
    disk.freeSpaceBytes = 1_000_000;
    await expect(bodies.create()).rejects.toMatchObject({ kind: 'disk-full' });
    expect(await bodies.freeBytes()).toBe(0);
    expect(sameBytes(await get(bodies, kept.ref, kept), small)).toBe(true);
    disk.freeSpaceBytes = 3_000_000;
    nowMs += 60_000;
    expect(await bodies.freeBytes()).toBe(2_000_000);
    expect(await putFault(large)).toMatchObject({ kind: 'disk-full' });
    nowMs += 60_000;
    await put(bodies, small);
  });

  it('measures free space once for many bodies of one moment, and counts what they write', async () => {
    disk.freeSpaceBytes = 2_000_000;
    nowMs += 60_000;
    const before = disk.faults.count('freeBytes');
    for (let n = 0; n < 10; n += 1) await put(bodies, small);
    expect(await bodies.freeBytes()).toBe(1_000_000 - 10 * small.length);
    expect(disk.faults.count('freeBytes')).toBe(before + 1);
  });
});
