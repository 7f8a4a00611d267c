import { expect, it } from 'vitest';
import { BodyFault, type BodyRef } from '../store/bodies.ts';
import { orphanBodiesJob } from './orphan-bodies.ts';

it('an orphan that cannot be removed keeps no later one, and is told of when all were looked at', async () => {
  const refs = Array.from({ length: 1700 }, (_, n) => `orphan-${n}` as BodyRef);
  const [stuck] = refs;
  const left = new Set(refs);
  const job = orphanBodiesJob({
    ledger: { referencedBodies: () => Promise.resolve(new Set()), madeAtMs: () => Promise.resolve(0) },
    bodies: {
      async *list() {
        for (const ref of refs) yield { ref, createdAtMs: 0 };
      },
      remove(some) {
        for (const ref of some) if (ref !== stuck) left.delete(ref);
        return stuck !== undefined && some.includes(stuck)
          ? Promise.reject(new BodyFault('io', `the disk failed while removing body ${stuck}`))
          : Promise.resolve();
      },
    },
    machineClock: { nowMs: () => 0, elapsedMs: () => 0 },
    graceMs: 1,
  });
  await expect(job.run(new AbortController().signal)).rejects.toThrow(`removing body ${stuck}`);
  expect([...left]).toEqual([stuck]);
});
