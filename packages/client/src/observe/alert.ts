import { spawn } from 'node:child_process';

const everyMs = 3_600_000;
const patienceMs = 60_000;

/** Tells an operator by a program of his own: its arguments are a stable code and a sentence. */
export class Alerts {
  readonly #command: string | undefined;
  readonly #nowMs: () => number;
  readonly #failed: (code: string) => void;
  readonly #toldMs = new Map<string, number>();

  constructor(command: string | undefined, nowMs: () => number, failed: (code: string) => void) {
    this.#command = command;
    this.#nowMs = nowMs;
    this.#failed = failed;
  }

  /** At most once an hour for each code and mailbox; a program that hangs is ended. */
  raise(code: string, mailbox: string | undefined, sentence: string): void {
    if (this.#command === undefined) return;
    const key = `${code} ${mailbox ?? ''}`;
    const nowMs = this.#nowMs();
    const sinceMs = nowMs - (this.#toldMs.get(key) ?? Number.NEGATIVE_INFINITY);
    // Less than nothing: the clock was set back, and must not hush what is wrong until it has caught up.
    if (sinceMs >= 0 && sinceMs < everyMs) return;
    this.#toldMs.set(key, nowMs);
    const child = spawn(this.#command, [code, mailbox ?? '', sentence], { stdio: 'ignore', timeout: patienceMs });
    child.on('error', (error: NodeJS.ErrnoException) => this.#failed(error.code ?? 'unknown'));
    child.unref();
  }
}
