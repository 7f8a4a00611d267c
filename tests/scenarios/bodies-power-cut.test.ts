import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BodyShape, DurableBody } from '@openmesh/exchange/store/bodies.ts';
import { get, patterned, put, sameBytes } from '@openmesh/exchange/store/body-probe.ts';
import { createDiskBodies } from '@openmesh/exchange/store/disk/disk-bodies.ts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FlushHonesty, ForgetfulDisk } from '../kit/forgetful-disk.ts';
import { seededRandom } from '../kit/seeded-random.ts';

/** A body that was promised and is not there any more. */
class LostBody extends Error {}

interface Scene {
  readonly bodies: readonly { readonly size: number; readonly slice: number }[];
  readonly powerFailsAt: number;
  readonly survivors: 'none' | 'all' | 'some';
  readonly seed: number;
}

const sizes = fc.oneof(
  { weight: 30, arbitrary: fc.integer({ min: 1, max: 60_000 }) },
  { weight: 6, arbitrary: fc.integer({ min: 60_000, max: 1_500_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 4_000_000, max: 9_000_000 }) },
);
const scenes: fc.Arbitrary<Scene> = fc.record({
  bodies: fc.array(fc.record({ size: sizes, slice: fc.integer({ min: 500, max: 200_000 }) }), {
    minLength: 1,
    maxLength: 8,
  }),
  // Eight small bodies make about sixty operations: some cuts come when all is finished.
  powerFailsAt: fc.integer({ min: 1, max: 70 }),
  survivors: fc.constantFrom('none', 'some', 'all'),
  seed: fc.nat(),
});

/** Writes bodies at the same time until the power fails, and looks for those that were promised. */
async function playScene(scene: Scene, flushes: FlushHonesty): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'openmesh-power-cut-'));
  try {
    const disk = new ForgetfulDisk(folder, { flushes, powerFailsAt: scene.powerFailsAt });
    const promised = await storeUntilDark(disk, folder, scene);
    await disk.cut(scene.survivors, scene.seed);
    await findPromised(disk, folder, promised);
  } finally {
    await rm(folder, { recursive: true });
  }
}

interface Promised {
  readonly body: DurableBody;
  readonly bytes: Buffer;
}

async function storeUntilDark(disk: ForgetfulDisk, folder: string, scene: Scene): Promise<readonly Promised[]> {
  const bodies = await openStore(disk, folder, scene.seed).catch(() => undefined);
  if (bodies === undefined) return [];
  const outcomes = await Promise.allSettled(
    scene.bodies.map(async ({ size, slice }, n): Promise<Promised> => {
      const bytes = patterned(size, scene.seed + n);
      return { body: await put(bodies, bytes, [slice]), bytes };
    }),
  );
  await bodies.close();
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
}

async function findPromised(disk: ForgetfulDisk, folder: string, promised: readonly Promised[]): Promise<void> {
  const bodies = await openStore(disk, folder, 0);
  try {
    for (const { body, bytes } of promised) {
      const found = await get(bodies, body.ref, body satisfies BodyShape).catch((cause: unknown) => {
        throw new LostBody('a promised body cannot be read', { cause });
      });
      if (!sameBytes(found, bytes)) throw new LostBody('a promised body has other bytes');
    }
    const listed: string[] = [];
    for await (const { ref } of bodies.list(Number.POSITIVE_INFINITY)) listed.push(ref);
    expect(listed).toEqual(expect.arrayContaining(promised.map(({ body }) => body.ref)));
  } finally {
    await bodies.close();
  }
}

function openStore(disk: ForgetfulDisk, folder: string, seed: number) {
  const random = seededRandom(seed);
  return createDiskBodies({
    root: join(folder, 'bodies'),
    fileSystem: disk,
    reserveBytes: 0,
    blockBuffers: 4,
    clock: { nowMs: () => Date.UTC(2026, 10, 21, 12) },
    // Few directories, so that bodies share them and their flushes meet.
    randomKey: () => `a${Array.from({ length: 23 }, () => Math.floor(random() * 2)).join('')}`,
  });
}

function playScenes(flushes: FlushHonesty): Promise<fc.RunDetails<[Scene]>> {
  const property = fc.asyncProperty(scenes, (scene) => playScene(scene, flushes));
  return fc.check(property, { numRuns: 120, seed: 20_261_121, endOnFailure: true });
}

describe('bodies and a power cut', () => {
  it('keeps every body whose finish resolved, byte for byte, whatever else the cut left', async () => {
    const outcome = await playScenes('honest');
    expect(fc.defaultReportMessage(outcome)).toBeUndefined();
  });

  // The proof that the test above can see a missing flush: each of these disks says "done" and does not flush.
  it.each(['none', 'files only', 'directories only'] as const)(
    'sees the loss when the disk flushes %s',
    async (flushes) => {
      const outcome = await playScenes(flushes);
      expect(outcome.failed).toBe(true);
      expect(outcome.errorInstance).toBeInstanceOf(LostBody);
    },
  );
});
