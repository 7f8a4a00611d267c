import { clientError } from './errors/client-errors.ts';
import { MeshError, type OperationName } from './errors/mesh-error.ts';
import type { Log } from './log.ts';
import type { Surroundings } from './surroundings.ts';

/** How often, and how long apart, a call is tried before its error is given to the caller. */
export interface RetryPolicy {
  /** The first try included; 1 never repeats. */
  readonly attempts: number;
  /** The longest pause before the second try; doubles with each further one. */
  readonly firstDelayMs: number;
  /** The longest pause of all. */
  readonly delayMsMax: number;
  /** A service that asks for a longer pause than this is not waited for: its error is given to the caller. */
  readonly retryAfterMsMax: number;
}

export const defaultRetryPolicy: RetryPolicy = {
  attempts: 5,
  firstDelayMs: 500,
  delayMsMax: 30_000,
  retryAfterMsMax: 120_000,
};

/** The defaults with `given` in their place. Throws a RangeError that names what is no whole number. */
export function settleRetryPolicy(given: Partial<RetryPolicy> = {}): RetryPolicy {
  const policy = { ...defaultRetryPolicy };
  for (const name of Object.keys(defaultRetryPolicy) as (keyof RetryPolicy)[]) {
    const value = given[name];
    if (value === undefined) continue;
    if (!Number.isSafeInteger(value) || value < (name === 'attempts' ? 1 : 0)) {
      throw new RangeError(`${name} of the retry policy must be a whole number`);
    }
    Object.assign(policy, { [name]: value });
  }
  return policy;
}

export interface Retrying {
  readonly policy: RetryPolicy;
  readonly surroundings: Pick<Surroundings, 'random' | 'wait'>;
  readonly log: Log;
}

export interface Tried {
  readonly operation: OperationName;
  /** Doing it twice is doing it once, so that it may be repeated when nobody knows whether it took effect. */
  readonly isRepeatable: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Calls `attempt` until it succeeds or its error is not one that repeating mends; each attempt makes a fresh token. */
export async function withRetries<T>(retrying: Retrying, tried: Tried, attempt: () => Promise<T>): Promise<T> {
  for (let number = 1; ; number += 1) {
    if (tried.signal?.aborted === true) throw clientError('aborted', tried.operation, { cause: tried.signal.reason });
    try {
      return await attempt();
    } catch (error) {
      const delayMs = pauseBeforeNext(error, number, retrying, tried);
      if (delayMs === undefined) throw error;
      retrying.log({
        level: 'notice',
        event: 'retrying',
        text: `${tried.operation}: ${(error as MeshError).code}; attempt ${number + 1} of ${retrying.policy.attempts} in ${delayMs} ms`,
      });
      await waitUnlessAborted(delayMs, retrying, tried);
    }
  }
}

/** Milliseconds to wait before the next attempt; undefined when there shall be none. */
function pauseBeforeNext(error: unknown, attempt: number, retrying: Retrying, tried: Tried): number | undefined {
  const { policy, surroundings } = retrying;
  if (!(error instanceof MeshError) || attempt >= policy.attempts || tried.signal?.aborted === true) return undefined;
  if (error.class === 'permanent' || (error.class === 'ambiguous' && !tried.isRepeatable)) return undefined;
  const asked = error.retryAfterMs ?? 0;
  if (asked > policy.retryAfterMsMax) return undefined;
  // Anything up to the full pause, so that clients which lost the service together do not come back together.
  const spread = Math.round(
    surroundings.random() * Math.min(policy.delayMsMax, policy.firstDelayMs * 2 ** (attempt - 1)),
  );
  return asked + spread;
}

/** Waits; an abort ends it with the error that every call ends with. */
export async function waitUnlessAborted(
  delayMs: number,
  { surroundings }: Pick<Retrying, 'surroundings'>,
  { operation, signal }: Omit<Tried, 'isRepeatable'>,
): Promise<void> {
  try {
    await surroundings.wait(delayMs, signal);
  } catch (error) {
    if (signal?.aborted === true) throw clientError('aborted', operation, { cause: signal.reason });
    throw error;
  }
}
