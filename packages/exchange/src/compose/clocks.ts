import type { JobLedger } from '../store/ledger/jobs.ts';

/** The clock of tokens, TLS, leases and timeouts. It cannot be moved. */
export interface MachineClock {
  readonly nowMs: () => number;
  /** Milliseconds since some moment, which go on alike while the clock is set. */
  readonly elapsedMs: () => number;
}

/** The machine's own. */
export const systemClock: MachineClock = { nowMs: () => Date.now(), elapsedMs: () => performance.now() };

/** The clock of message life. In the sandbox it can be moved forward; the offset is kept in the ledger. */
export interface MovableServiceClock {
  nowMs(): number;
  /** How far it is ahead of the machine clock, in milliseconds. */
  offsetMs(): number;
  /** Moves the clock forward by `ms` and remembers it. */
  advance(ms: number): Promise<void>;
  /** Puts the clock back to the machine's. */
  reset(): Promise<void>;
}

export async function createServiceClock(
  machineClock: MachineClock,
  ledger: Pick<JobLedger, 'clockOffset' | 'setClockOffset'>,
  movable: boolean,
): Promise<MovableServiceClock> {
  let offsetMs = movable ? await ledger.clockOffset() : 0;
  const set = async (wantedMs: number): Promise<void> => {
    if (!movable) throw new Error('this exchange has no movable clock');
    await ledger.setClockOffset(wantedMs);
    offsetMs = wantedMs;
  };
  return {
    nowMs: () => machineClock.nowMs() + offsetMs,
    offsetMs: () => offsetMs,
    advance: (ms) => set(offsetMs + ms),
    reset: () => set(0),
  };
}
