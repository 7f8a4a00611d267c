/** Spreads calls over time so that no more than so many begin each second. */
export interface Pacer {
  /** How long the call that is meant to begin now has to wait; one whose turn is too far away is given none. */
  reserve(nowMs: number): { readonly hasTurn: boolean; readonly waitMs: number };
}

export function createPacer(perSecond: number, waitMsMax: number): Pacer {
  const gapMs = 1000 / perSecond;
  let nextAtMs = 0;
  return {
    reserve(nowMs) {
      const startsAtMs = Math.max(nowMs, nextAtMs);
      const waitMs = startsAtMs - nowMs;
      const hasTurn = waitMs <= waitMsMax;
      if (hasTurn) nextAtMs = startsAtMs + gapMs;
      return { hasTurn, waitMs };
    },
  };
}
