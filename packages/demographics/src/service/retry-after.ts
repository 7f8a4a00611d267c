const longestMs = 3_600_000;

/** How long a `Retry-After` asks to wait, in milliseconds, an hour at most; null when it says nothing that can be read. */
export function readRetryAfter(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null;
  const waitMs = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isNaN(waitMs) ? null : Math.min(longestMs, Math.max(0, waitMs));
}
