/** Spreads calls over time so that no more than so many begin each second. */
export interface Pacer {
  /** Milliseconds to wait before the call that is meant to begin now; undefined when its turn is too far away. */
  reserve(nowMs: number): number | undefined;
}

export function createPacer(perSecond: number, waitMsMax: number): Pacer {
  const gapMs = 1000 / perSecond;
  let nextAtMs = 0;
  return {
    reserve(nowMs) {
      const startsAtMs = Math.max(nowMs, nextAtMs);
      const waitMs = startsAtMs - nowMs;
      if (waitMs > waitMsMax) return undefined;
      nextAtMs = startsAtMs + gapMs;
      return waitMs;
    },
  };
}
