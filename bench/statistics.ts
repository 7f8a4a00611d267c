/** The middle value, or the mean of the two middle values; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) return Number.NaN;
  if (sorted.length % 2 === 1) return upper;
  return ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/**
 * The smallest value that at least `fraction` of the values do not exceed (nearest rank), so that a percentile is
 * always a value that was measured; NaN of nothing.
 */
export function percentile(values: Iterable<number>, fraction: number): number {
  if (!(fraction > 0 && fraction <= 1))
    throw new RangeError(`a percentile fraction must be in (0, 1], not ${fraction}`);
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.ceil(sorted.length * fraction) - 1] ?? Number.NaN;
}

/** `value` with at most `digits` digits after the point, so that the JSON shows no false precision; null if not finite. */
export function rounded(value: number, digits = 2): number | null {
  return Number.isFinite(value) ? Number(value.toFixed(digits)) : null;
}
