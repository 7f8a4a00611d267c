import type { JobLedger } from '../store/ledger/jobs.ts';
import type { Job } from './clockwork.ts';

const batch = 1000;
/**
 * The clocks of several nodes differ: a token is remembered for so much longer than it is good for, so that the node whose
 * clock is ahead does not forget it while another still takes it.
 */
const clocksApartMsMax = 10 * 60_000;

/** Nonces whose token is refused by its own timestamp by now, idempotency keys and refusals past their date. */
export function sweepsJob(parts: {
  readonly ledger: Pick<JobLedger, 'sweepNonces' | 'sweepIdempotencyKeys' | 'sweepRefusals'>;
  readonly machineClock: { nowMs(): number };
  readonly refusalRetentionMs: number;
}): Job {
  const { ledger, machineClock } = parts;
  return {
    name: 'sweeps',
    everyMs: 600_000,
    async run(signal) {
      const nowMs = machineClock.nowMs();
      while (!signal.aborted && (await ledger.sweepNonces({ nowMs: nowMs - clocksApartMsMax, limit: batch })) === batch)
        continue;
      while (!signal.aborted && (await ledger.sweepIdempotencyKeys({ nowMs, limit: batch })) === batch) continue;
      const beforeMs = nowMs - parts.refusalRetentionMs;
      while (!signal.aborted && (await ledger.sweepRefusals({ beforeMs, limit: batch })) === batch) continue;
    },
  };
}
