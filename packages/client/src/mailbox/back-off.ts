const steps = [1, 2, 5, 10] as const;

/** How long to leave a service alone that failed: longer each time, up to a limit; nothing after a success. */
export class BackOff {
  readonly #firstMs: number;
  readonly #limitMs: number;
  readonly #random: () => number;
  #failures = 0;

  constructor(firstMs: number, limitMs: number, random: () => number = Math.random) {
    this.#firstMs = firstMs;
    this.#limitMs = limitMs;
    this.#random = random;
  }

  succeed(): void {
    this.#failures = 0;
  }

  /** Milliseconds until the next attempt, spread by a tenth, and no less than the service asked for. */
  fail(askedMs = 0): number {
    const step = steps[Math.min(this.#failures, steps.length - 1)] ?? 1;
    this.#failures += 1;
    return Math.max(askedMs, spread(Math.min(this.#firstMs * step, this.#limitMs), this.#random));
  }
}

/** A span more or less a tenth, so that clients which began together do not ask together for ever. */
export function spread(ms: number, random: () => number = Math.random): number {
  return Math.round(ms * (0.9 + 0.2 * random()));
}
