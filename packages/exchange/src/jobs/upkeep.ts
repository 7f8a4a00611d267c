import type { ServiceClock } from '../message/service-clock.ts';
import type { JobLedger } from '../store/ledger/jobs.ts';
import type { Job } from './clockwork.ts';

/** What the ledger's engine wants done now and then: room made for days to come, days past their time dropped. */
export function upkeepJob({
  ledger,
  clock,
}: {
  readonly ledger: Pick<JobLedger, 'upkeep'>;
  readonly clock: ServiceClock;
}): Job {
  return { name: 'upkeep', everyMs: 600_000, atStart: true, run: () => ledger.upkeep(clock.nowMs()) };
}
