import { type Bodies, BodyFault, type BodyRef } from '../store/bodies.ts';
import type { JobLedger } from '../store/ledger/jobs.ts';
import type { Job } from './clockwork.ts';

const batch = 500;

/** The machine clock beside one that nobody can set. */
export interface SteadyClock {
  nowMs(): number;
  /** Milliseconds that passed since any moment, whatever the clock was set to meanwhile. */
  elapsedMs(): number;
}

/**
 * Bytes that no row names: left by a crash between body and book. Only those older than the grace period are judged,
 * since a younger one may belong to a request that is still being answered; and none that is older than the ledger, since
 * that is no crash of this one: where the ledger's disk was not mounted, or its setting is wrong, a new one knows no body.
 */
export function orphanBodiesJob(parts: {
  readonly ledger: Pick<JobLedger, 'referencedBodies' | 'madeAtMs'>;
  readonly bodies: Pick<Bodies, 'list' | 'remove'>;
  readonly machineClock: SteadyClock;
  readonly graceMs: number;
}): Job {
  const agedSince = createAging(parts.machineClock, parts.graceMs);
  /** Resolves to what kept a body from being removed: others are not to wait for it. */
  const judge = async (refs: readonly BodyRef[]): Promise<BodyFault | undefined> => {
    const named = await parts.ledger.referencedBodies(refs);
    try {
      await parts.bodies.remove(refs.filter((ref) => !named.has(ref)));
      return undefined;
    } catch (error) {
      if (error instanceof BodyFault) return error;
      throw error;
    }
  };
  return {
    name: 'orphan-bodies',
    everyMs: 3_600_000,
    async run(signal) {
      let refs: BodyRef[] = [];
      let fault: BodyFault | undefined;
      const madeAtMs = await parts.ledger.madeAtMs();
      for await (const { ref, createdAtMs } of parts.bodies.list(agedSince())) {
        if (signal.aborted) return;
        if (createdAtMs < madeAtMs) continue;
        refs.push(ref);
        if (refs.length < batch) continue;
        fault = (await judge(refs)) ?? fault;
        refs = [];
      }
      if (refs.length > 0) fault = (await judge(refs)) ?? fault;
      if (fault !== undefined) throw fault;
    },
  };
}

/**
 * The moment on the machine clock before which whatever this process began is older than the grace period. A body is named
 * by the clock at its begin, and a clock that is set forward would make one look old that is on its way: of what the clock
 * was ahead by in the last two grace periods, the least counts.
 */
function createAging(clock: SteadyClock, graceMs: number): () => number {
  let aheads: readonly { readonly atMs: number; readonly aheadMs: number }[] = [];
  const look = (): number => {
    const atMs = clock.elapsedMs();
    const aheadMs = Math.floor(clock.nowMs() - atMs);
    const telling = aheads.filter((earlier) => earlier.aheadMs < aheadMs && atMs - earlier.atMs <= 2 * graceMs);
    aheads = [...telling, { atMs, aheadMs }];
    return atMs + (aheads[0]?.aheadMs ?? aheadMs) - graceMs;
  };
  look();
  return look;
}
