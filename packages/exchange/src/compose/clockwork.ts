import { randomUUID } from 'node:crypto';
import type { Config } from '../config/config.ts';
import { type Clockwork, createClockwork, type Job } from '../jobs/clockwork.ts';
import { expiryJob } from '../jobs/expiry.ts';
import { orphanBodiesJob } from '../jobs/orphan-bodies.ts';
import { retentionJob } from '../jobs/retention.ts';
import { stalledUploadsJob } from '../jobs/stalled-uploads.ts';
import { sweepsJob } from '../jobs/sweeps.ts';
import type { Expire } from '../message/expire.ts';
import type { ServiceClock } from '../message/service-clock.ts';
import type { Bodies } from '../store/bodies.ts';
import type { Ledger } from '../store/ledger.ts';
import type { MachineClock } from './clocks.ts';

/** A request is over long before this: bytes this old without a row are nobody's. */
const orphanGraceMs = 24 * 3_600_000;

export interface ClockworkParts {
  readonly config: Config;
  readonly ledger: Ledger;
  readonly bodies: Bodies;
  readonly expire: Expire;
  readonly clock: ServiceClock;
  readonly machineClock: MachineClock;
  readonly expired: (count: number) => void;
  readonly failed: (job: string, error: unknown) => void;
}

export function composeClockwork(parts: ClockworkParts): Clockwork {
  const { config, bodies, expire, clock, machineClock, expired, failed } = parts;
  const ledger = parts.ledger.jobs;
  const { uploadAbandonedMs, refusalRetentionMs } = config.retention;
  const jobs: Job[] = [
    expiryJob({ ledger, expire, clock, expired }),
    retentionJob({ ledger, bodies, clock }),
    orphanBodiesJob({ ledger, bodies, machineClock, graceMs: orphanGraceMs }),
    sweepsJob({ ledger, machineClock, refusalRetentionMs }),
  ];
  if (uploadAbandonedMs !== undefined) {
    jobs.push(stalledUploadsJob({ ledger, expire, clock, abandonedMs: uploadAbandonedMs }));
  }
  return createClockwork({ jobs, ledger, holder: randomUUID(), machineClock, failed });
}
