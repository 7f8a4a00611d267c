import type { Refreshed } from '../mailbox/directory/refresh-directory.ts';
import type { DirectoryAlert, DirectoryLedger } from '../store/ledger/directory.ts';
import type { Job } from './clockwork.ts';

const lookEveryMs = 600_000;
const announceEveryMs = 60_000;
const alertsBatch = 100;

/** Takes over what the organisation data says, once in so many hours, whatever process runs and however often it starts. */
export function directoryRefreshJob(parts: {
  readonly ledger: Pick<DirectoryLedger, 'state'>;
  readonly refresh: (signal: AbortSignal) => Promise<Refreshed>;
  readonly clock: { nowMs(): number };
  readonly refreshMs: number;
  readonly refreshed: (outcome: Refreshed) => void;
}): Job {
  return {
    name: 'directory-refresh',
    atStart: true,
    everyMs: Math.min(lookEveryMs, parts.refreshMs),
    async run(signal) {
      const { refreshedAtMs } = await parts.ledger.state();
      if (refreshedAtMs !== null && parts.clock.nowMs() - refreshedAtMs < parts.refreshMs) return;
      parts.refreshed(await parts.refresh(signal));
    },
  };
}

/** Says once of each alert that it is there, whoever loaded what brought it about. */
export function directoryAlertsJob(parts: {
  readonly ledger: Pick<DirectoryLedger, 'announce'>;
  readonly clock: { nowMs(): number };
  readonly announce: (alert: DirectoryAlert) => void;
}): Job {
  return {
    name: 'directory-alerts',
    everyMs: announceEveryMs,
    async run(signal) {
      while (!signal.aborted) {
        const alerts = await parts.ledger.announce({ nowMs: parts.clock.nowMs(), limit: alertsBatch });
        for (const alert of alerts) parts.announce(alert);
        if (alerts.length < alertsBatch) return;
      }
    },
  };
}
