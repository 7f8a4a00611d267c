/** A bucket of tokens for each key: so many a second, and so many at once. */
export interface Throttle {
  readonly perSecond: number;
  /** Whole seconds to wait, or 0 when the request may pass. */
  take(key: string, nowMs: number): number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Buckets remembered at most; a full one is forgotten first, since it says the same as none. */
const bucketsMax = 200_000;

/** `perSecond` 0 lets everything pass. */
export function createThrottle(perSecond: number, burst: number): Throttle {
  if (perSecond === 0) return { perSecond, take: () => 0 };
  const buckets = new Map<string, Bucket>();

  const forgetFull = (nowMs: number): void => {
    for (const [key, bucket] of buckets) {
      if (bucket.tokens + ((nowMs - bucket.atMs) / 1000) * perSecond >= burst) buckets.delete(key);
    }
    if (buckets.size >= bucketsMax) buckets.clear();
  };

  return {
    perSecond,
    take(key, nowMs) {
      let bucket = buckets.get(key);
      if (bucket === undefined) {
        if (buckets.size >= bucketsMax) forgetFull(nowMs);
        bucket = { tokens: burst, atMs: nowMs };
        buckets.set(key, bucket);
      }
      const gained = (Math.max(0, nowMs - bucket.atMs) / 1000) * perSecond;
      bucket.tokens = Math.min(burst, bucket.tokens + gained);
      bucket.atMs = nowMs;
      if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / perSecond));
      bucket.tokens -= 1;
      return 0;
    },
  };
}
