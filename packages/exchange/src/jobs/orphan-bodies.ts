import type { Bodies, BodyRef } from '../store/bodies.ts';
import type { JobLedger } from '../store/ledger/jobs.ts';
import type { Job } from './clockwork.ts';

const batch = 500;

/**
 * Bytes that no row names: left by a crash between body and book. Only those older than the grace period are judged,
 * since a younger one may belong to a request that is still being answered.
 */
export function orphanBodiesJob(parts: {
  readonly ledger: Pick<JobLedger, 'referencedBodies'>;
  readonly bodies: Pick<Bodies, 'list' | 'remove'>;
  readonly machineClock: { nowMs(): number };
  readonly graceMs: number;
}): Job {
  const judge = async (refs: readonly BodyRef[]): Promise<void> => {
    const named = await parts.ledger.referencedBodies(refs);
    await parts.bodies.remove(refs.filter((ref) => !named.has(ref)));
  };
  return {
    name: 'orphan-bodies',
    everyMs: 3_600_000,
    async run(signal) {
      let refs: BodyRef[] = [];
      for await (const { ref } of parts.bodies.list(parts.machineClock.nowMs() - parts.graceMs)) {
        if (signal.aborted) return;
        refs.push(ref);
        if (refs.length < batch) continue;
        await judge(refs);
        refs = [];
      }
      if (refs.length > 0) await judge(refs);
    },
  };
}
