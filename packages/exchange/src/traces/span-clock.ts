/** What the machine's clock shows, and what goes on alike while it is set; both in milliseconds. */
interface Clocks {
  readonly nowMs: () => number;
  readonly elapsedMs: () => number;
}

/** The machine's clock shows whole milliseconds; what is further from it has drifted, or the clock was set. */
const apartMsMax = 2;

/**
 * The time of spans, in milliseconds since 1970 with fractions: one scale for all of them. By whole milliseconds half of
 * all commits would seem to begin before the request that asked for them.
 */
export function createSpanClock({ nowMs, elapsedMs }: Clocks): () => number {
  let sinceMs = nowMs() - elapsedMs();
  return () => {
    const elapsed = elapsedMs();
    const now = nowMs();
    if (Math.abs(sinceMs + elapsed - now) > apartMsMax) sinceMs = now - elapsed;
    return sinceMs + elapsed;
  };
}
