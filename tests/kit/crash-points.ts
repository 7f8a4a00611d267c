import { subscribe } from 'node:diagnostics_channel';
import { fileURLToPath } from 'node:url';

/**
 * Moments of the server's work at which it can be made to die. The server publishes a diagnostics channel of this name
 * there, which costs nothing while nobody listens; only this module, preloaded by a test, does.
 */
export const crashPoints = [
  /** A body file and its folder are flushed; no row names it yet. */
  'openmesh:body-durable',
  /** The commands of a batch are applied; the transaction is not committed. */
  'openmesh:before-commit',
  /** The commit is flushed; no caller knows. */
  'openmesh:after-commit',
  /** The callers' answers are about to be written. */
  'openmesh:before-answer',
] as const;
export type CrashPoint = (typeof crashPoints)[number];

const variable = 'KIT_CRASH_AT';

/** What to add to a process so that it kills itself when `point` is passed for the `count`th time in one thread. */
export function crashAt(point: CrashPoint, count: number): { nodeArgs: string[]; env: Record<string, string> } {
  return { nodeArgs: ['--import', fileURLToPath(import.meta.url)], env: { [variable]: `${point}#${count}` } };
}

// Preloaded, this module runs in every thread of the server; each counts for itself.
const [point, count] = process.env[variable]?.split('#') ?? [];
if (point !== undefined) {
  let left = Number(count);
  subscribe(point, () => {
    left -= 1;
    // Sent to ourselves, the signal ends every thread before this call returns: nothing after the point happens.
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  });
}
