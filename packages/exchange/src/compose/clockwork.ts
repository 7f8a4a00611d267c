import { randomUUID } from 'node:crypto';
import type { Config } from '../config/config.ts';
import type { Log } from '../http/log.ts';
import { type Clockwork, createClockwork, type Job } from '../jobs/clockwork.ts';
import { expiryJob } from '../jobs/expiry.ts';
import { gpRoutingJob } from '../jobs/gp-routing.ts';
import { orphanBodiesJob } from '../jobs/orphan-bodies.ts';
import { retentionJob } from '../jobs/retention.ts';
import { stalledUploadsJob } from '../jobs/stalled-uploads.ts';
import { sweepsJob } from '../jobs/sweeps.ts';
import { upkeepJob } from '../jobs/upkeep.ts';
import type { Registry } from '../mailbox/registry.ts';
import type { Resolution } from '../message/resolve-gp.ts';
import type { ServiceClock } from '../message/service-clock.ts';
import type { Bodies } from '../store/bodies.ts';
import type { Ledger } from '../store/ledger.ts';
import { composeAlertJobs } from './alerts.ts';
import type { MachineClock } from './clocks.ts';
import { composeDirectoryJobs, type DirectoryNotes } from './directory.ts';
import type { Hall } from './hall.ts';
import type { Services } from './services.ts';

/** A request that ended so long ago left bytes that are nobody's, if no row names them. */
const orphanGraceMs = 24 * 3_600_000;

export interface ClockworkParts {
  readonly config: Config;
  readonly ledger: Ledger;
  readonly registry: Registry;
  readonly log: Log;
  readonly bodies: Bodies;
  readonly hall: Pick<Hall, 'expire' | 'resolveGp'>;
  readonly clock: ServiceClock;
  readonly machineClock: MachineClock;
  readonly expired: (count: number) => void;
  readonly services: Services;
  readonly directoryNotes: DirectoryNotes;
  readonly routed: (resolution: Resolution) => void;
  readonly failed: (job: string, error: unknown) => void;
}

export function composeClockwork(parts: ClockworkParts): Clockwork {
  const { config, bodies, hall, clock, machineClock, expired, failed } = parts;
  const { expire, resolveGp: resolve } = hall;
  const ledger = parts.ledger.jobs;
  const { uploadAbandonedMs, refusalRetentionMs } = config.retention;
  const jobs: Job[] = [
    expiryJob({ ledger, expire, clock, expired }),
    retentionJob({ ledger, bodies, clock }),
    orphanBodiesJob({ ledger, bodies, machineClock, graceMs: config.machines.requestTimeoutMs + orphanGraceMs }),
    sweepsJob({ ledger, machineClock, refusalRetentionMs }),
    upkeepJob({ ledger, clock }),
    ...composeDirectoryJobs({ ...parts, notes: parts.directoryNotes }),
    ...composeAlertJobs(parts),
  ];
  if (resolve !== undefined) {
    // First of all: where the clock was moved far, the texts of a message must be read before they are erased.
    const { routingMsMax } = config.services;
    jobs.unshift(
      gpRoutingJob({
        ledger: parts.ledger.resolving,
        resolve,
        clock,
        machineClock,
        routingMsMax,
        resolved: parts.routed,
      }),
    );
  }
  if (uploadAbandonedMs !== undefined) {
    jobs.push(stalledUploadsJob({ ledger, expire, clock, abandonedMs: uploadAbandonedMs }));
  }
  return createClockwork({ jobs, ledger, holder: randomUUID(), machineClock, failed });
}
