import type { Log } from '../http/log.ts';
import type { Metrics } from '../http/metrics.ts';
import type { Resolution } from '../message/resolve-gp.ts';
import type { MachineClock } from './clocks.ts';

/** A service that is away makes one line a minute for each reason, however many messages wait for it. */
const quietMs = 60_000;

/** Counts what became of patients' addresses, and says in the log when the service they need does not answer. */
export function createRoutingNotes(
  log: Log,
  clock: MachineClock,
  metrics: () => Metrics | undefined,
): (resolution: Resolution) => void {
  const saidAtMs = new Map<string, number>();
  return (resolution) => {
    switch (resolution.kind) {
      case 'delivered':
        metrics()?.gpRouted('delivered');
        break;
      case 'failed':
        metrics()?.gpRouted(resolution.error);
        break;
      case 'gone':
        break;
      case 'hold': {
        const { reason } = resolution;
        metrics()?.gpRouted('held');
        const nowMs = clock.nowMs();
        if (nowMs - (saidAtMs.get(reason) ?? 0) < quietMs) break;
        saidAtMs.set(reason, nowMs);
        log.warn('demographics-unavailable', { reason });
      }
    }
  };
}
