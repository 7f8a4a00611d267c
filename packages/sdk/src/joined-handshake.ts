import { clientError } from './errors/client-errors.ts';
import type { Handshake } from './handshake.ts';
import { orAborted } from './or-aborted.ts';

/** One handshake that several calls wait for: whoever gives up leaves it to the others, and the last one ends it. */
export class JoinedHandshake {
  readonly atMs: number;
  readonly result: Promise<Handshake>;
  readonly #stop = new AbortController();
  #callers = 0;

  constructor(atMs: number, begin: (signal: AbortSignal) => Promise<Handshake>) {
    this.atMs = atMs;
    this.result = begin(this.#stop.signal);
    this.result.catch(() => undefined);
  }

  /** For one more caller. Throws what the handshake threw, or `aborted`. */
  async join(signal: AbortSignal | undefined): Promise<Handshake> {
    if (signal?.aborted === true) throw clientError('aborted', 'handshake', { cause: signal.reason });
    this.#callers += 1;
    if (signal === undefined) return await this.result;
    const leave = (): void => {
      this.#callers -= 1;
      if (this.#callers === 0) this.#stop.abort(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await orAborted(this.result, signal, 'handshake');
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }
}
