import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

/** What a client takes from the world besides its connections. */
export interface Surroundings {
  /** Milliseconds since 1970: stamps tokens, measures rates. */
  readonly nowMs: () => number;
  /** From 0 up to but not 1: spreads repeats over time. */
  readonly random: () => number;
  /** A fresh nonce for a token, or key for a send; visible ASCII without a colon. */
  readonly unique: () => string;
  /** Resolves after so many milliseconds; rejects when the signal is aborted. */
  readonly wait: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

export const hostSurroundings: Surroundings = {
  nowMs: Date.now,
  random: Math.random,
  unique: randomUUID,
  wait: (ms, signal) => pause(ms, undefined, { signal }),
};
