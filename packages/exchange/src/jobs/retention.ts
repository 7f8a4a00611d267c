import type { ServiceClock } from '../message/service-clock.ts';
import type { Bodies } from '../store/bodies.ts';
import type { JobLedger } from '../store/ledger/jobs.ts';
import type { Job } from './clockwork.ts';

const payloadsBatch = 200;
const recordsBatch = 1000;
const rounds = 10_000;

/**
 * Three dates, three deletions: the bytes, what the API shows of the record, and the record. The row goes before the
 * bytes: a crash in between leaves bytes nobody refers to, for the orphan sweep, and never a row without its bytes.
 */
export function retentionJob(parts: {
  readonly ledger: Pick<JobLedger, 'payloadsDue' | 'forgetPayloads' | 'hideRecords' | 'removeRecords'>;
  readonly bodies: Pick<Bodies, 'remove'>;
  readonly clock: ServiceClock;
}): Job {
  const { ledger, bodies, clock } = parts;
  return {
    name: 'retention',
    everyMs: 60_000,
    async run(signal) {
      for (let round = 0; round < rounds && !signal.aborted; round += 1) {
        const due = await ledger.payloadsDue({ nowMs: clock.nowMs(), limit: payloadsBatch });
        if (due.length === 0) break;
        const payloadIds = due.map((payload) => payload.payloadId);
        const forgotten = new Set(await ledger.forgetPayloads(payloadIds, clock.nowMs()));
        await bodies.remove(due.flatMap(({ payloadId, refs }) => (forgotten.has(payloadId) ? refs : [])));
      }
      const query = { nowMs: clock.nowMs(), limit: recordsBatch };
      for (let round = 0; round < rounds && !signal.aborted; round += 1) {
        if ((await ledger.hideRecords(query)) < recordsBatch) break;
      }
      for (let round = 0; round < rounds && !signal.aborted; round += 1) {
        if ((await ledger.removeRecords(query)) < recordsBatch) break;
      }
    },
  };
}
