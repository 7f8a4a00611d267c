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
 * The 95 % confidence interval of the median by order statistics: nothing is assumed of how the values are spread. From
 * the lowest to the highest value where there are too few for less.
 */
export function medianInterval(values: readonly number[]): { readonly low: number; readonly high: number } {
  const sorted = Float64Array.from(values).sort();
  // How many of n values lie below the median is binomial with one half: np(1-p) = n / 4.
  const reach = 1.96 * Math.sqrt(sorted.length / 4);
  const low = Math.max(0, Math.floor(sorted.length / 2 - reach) - 1);
  const high = Math.min(sorted.length - 1, Math.ceil(sorted.length / 2 + reach));
  return { low: sorted[low] ?? Number.NaN, high: sorted[high] ?? Number.NaN };
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
