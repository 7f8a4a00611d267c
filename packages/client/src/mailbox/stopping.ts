/** How work is asked to end: first to begin nothing new, and after a grace period to drop what is under way. */
export interface Stopping {
  readonly soon: AbortSignal;
  /** Aborted after `soon`, never before. Whatever it interrupts is gone on with at the next start. */
  readonly now: AbortSignal;
}

/** Never asked to. */
export function untilDone(): Stopping {
  const { signal } = new AbortController();
  return { soon: signal, now: signal };
}
