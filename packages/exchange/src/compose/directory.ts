import { randomUUID } from 'node:crypto';
import type { Config } from '../config/config.ts';
import type { Log } from '../http/log.ts';
import type { Metrics } from '../http/metrics.ts';
import type { Job } from '../jobs/clockwork.ts';
import { directoryAlertsJob, directoryRefreshJob } from '../jobs/directory-refresh.ts';
import { type Refreshed, refreshDirectory } from '../mailbox/directory/refresh-directory.ts';
import type { ServiceClock } from '../message/service-clock.ts';
import type { DirectoryAlert } from '../store/ledger/directory.ts';
import type { Ledger } from '../store/ledger.ts';
import type { Services } from './services.ts';

/** What is said of the directory, where it is heard. */
export interface DirectoryNotes {
  readonly alert: (alert: DirectoryAlert) => void;
  readonly refreshed: (outcome: Refreshed) => void;
}

export function createDirectoryNotes(log: Log, metrics: () => Metrics | undefined): DirectoryNotes {
  return {
    alert({ odsCode, kind }) {
      metrics()?.directoryAlert(kind);
      log.warn('directory-alert', { organisation: odsCode, reason: kind });
    },
    refreshed({ objects, unreadable }) {
      if (unreadable > 0) log.warn('directory-objects-unreadable', { count: unreadable });
      log.info('directory-refreshed', { count: objects });
    },
  };
}

/** The alerts, and the refresh where there is a service to ask. */
export function composeDirectoryJobs(parts: {
  readonly config: Config;
  readonly ledger: Pick<Ledger, 'directory'>;
  readonly clock: ServiceClock;
  readonly services: Pick<Services, 'organisations'>;
  readonly notes: DirectoryNotes;
}): readonly Job[] {
  const { clock, notes, services, config } = parts;
  const ledger = parts.ledger.directory;
  const alerts = directoryAlertsJob({ ledger, clock, announce: notes.alert });
  const { organisations: service } = services;
  if (service === undefined) return [alerts];
  const nowMs = (): number => clock.nowMs();
  const refresh = (signal: AbortSignal): Promise<Refreshed> =>
    refreshDirectory({ service, ledger, nowMs, newCorrelationId: randomUUID }, signal);
  const { organisationsRefreshMs: refreshMs } = config.services;
  // First the refresh: what it brings is announced in the same round.
  return [directoryRefreshJob({ ledger, refresh, clock, refreshMs, refreshed: notes.refreshed }), alerts];
}
