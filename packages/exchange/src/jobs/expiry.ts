import type { Expire } from '../message/expire.ts';
import type { ServiceClock } from '../message/service-clock.ts';
import type { JobLedger } from '../store/ledger/jobs.ts';
import type { Job } from './clockwork.ts';

const batch = 200;

/** Five days without acknowledgement: withdrawn and reported. */
export function expiryJob(parts: {
  readonly ledger: Pick<JobLedger, 'deliveriesDue'>;
  readonly expire: Pick<Expire, 'overdue'>;
  readonly clock: ServiceClock;
  readonly expired: (count: number) => void;
}): Job {
  return {
    name: 'expiry',
    everyMs: 30_000,
    async run(signal) {
      while (!signal.aborted) {
        const due = await parts.ledger.deliveriesDue({ nowMs: parts.clock.nowMs(), limit: batch });
        // Side by side, so that a batch shares its commits.
        await Promise.all(due.map(({ messageId }) => parts.expire.overdue(messageId)));
        parts.expired(due.length);
        if (due.length < batch) return;
      }
    },
  };
}
