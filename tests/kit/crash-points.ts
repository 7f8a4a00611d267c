import { subscribe } from 'node:diagnostics_channel';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Moments of the server's work at which it can be made to die. A program publishes a diagnostics channel of this name
 * there, which costs nothing while nobody listens; only this module, preloaded by a test, does.
 */
export const crashPoints = [
  /** A body file and its folder are flushed; no row names it yet. */
  'openmesh:body-durable',
  /** The commands of a batch are applied; the transaction is not committed. */
  'openmesh:before-commit',
  /** The commit is flushed; no caller knows. */
  'openmesh:after-commit',
  /** An answer is about to be written. */
  'openmesh:before-answer',
] as const;
/** Moments of the folder client's work; `packages/client/src/steps.ts` says what is true at each. */
export const clientCrashPoints = [
  'openmesh-client:out-journaled',
  'openmesh-client:out-answered',
  'openmesh-client:out-chunk',
  'openmesh-client:out-decided',
  'openmesh-client:out-staged',
  'openmesh-client:out-filing',
  'openmesh-client:out-moved',
  'openmesh-client:out-filed',
  'openmesh-client:in-chunk',
  'openmesh-client:in-downloaded',
  'openmesh-client:in-staged',
  'openmesh-client:in-moved',
  'openmesh-client:in-placed',
  'openmesh-client:in-delivered',
  'openmesh-client:in-acknowledged',
] as const;
export type CrashPoint = (typeof crashPoints)[number] | (typeof clientCrashPoints)[number];

const variable = 'KIT_CRASH_TRIGGER';

/** A file by which a test tells a running server where to die. */
export class CrashTrigger {
  readonly #path: string;
  #armed = 0;

  constructor(path: string) {
    this.#path = path;
    this.disarm();
  }

  /** What a process needs to listen to the trigger. */
  get start(): { readonly nodeArgs: readonly string[]; readonly env: Readonly<Record<string, string>> } {
    return { nodeArgs: ['--import', fileURLToPath(import.meta.url)], env: { [variable]: this.#path } };
  }

  /** From now on: SIGKILL when `point` is passed for the `count`th time in one thread. */
  arm(point: CrashPoint, count: number): void {
    this.#armed += 1;
    this.#write(`${point} ${count} ${this.#armed}`);
  }

  disarm(): void {
    this.#write('');
  }

  /** Whole or not at all, for the server reads it at any moment. */
  #write(text: string): void {
    writeFileSync(`${this.#path}.new`, text);
    renameSync(`${this.#path}.new`, this.#path);
  }
}

/** Preloaded, this module runs in every thread of the server; each counts for itself. */
function listen(path: string): void {
  let armed: string | undefined;
  let left = 0;
  for (const point of [...crashPoints, ...clientCrashPoints]) {
    subscribe(point, () => {
      const order = readFileSync(path, 'utf8');
      const [at, count] = order.split(' ');
      if (order !== armed) {
        armed = order;
        left = Number(count);
      }
      if (at !== point) return;
      left -= 1;
      // Sent to ourselves, the signal ends every thread before this call returns: nothing after the point happens.
      if (left === 0) process.kill(process.pid, 'SIGKILL');
    });
  }
}

const trigger = process.env[variable];
if (trigger !== undefined) listen(trigger);
