import type { Expire } from '../message/expire.ts';
import type { ServiceClock } from '../message/service-clock.ts';
import type { JobLedger } from '../store/ledger/jobs.ts';
import type { Job } from './clockwork.ts';

const batch = 100;

/** An upload that nobody finishes ends as an error with a report, so that no message is stuck. */
export function stalledUploadsJob(parts: {
  readonly ledger: Pick<JobLedger, 'uploadsStalled'>;
  readonly expire: Pick<Expire, 'abandoned'>;
  readonly clock: ServiceClock;
  readonly abandonedMs: number;
}): Job {
  return {
    name: 'stalled-uploads',
    everyMs: 300_000,
    async run(signal) {
      while (!signal.aborted) {
        const beforeMs = parts.clock.nowMs() - parts.abandonedMs;
        const stalled = await parts.ledger.uploadsStalled({ beforeMs, limit: batch });
        await Promise.all(stalled.map((messageId) => parts.expire.abandoned(messageId)));
        if (stalled.length < batch) return;
      }
    },
  };
}
