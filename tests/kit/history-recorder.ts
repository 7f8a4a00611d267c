import type { ClientEvent, Span } from './history.ts';

/** An event without its span, for each kind by itself. */
export type Observed = ClientEvent extends infer Each
  ? Each extends ClientEvent
    ? Omit<Each, keyof Span>
    : never
  : never;

/**
 * Writes down what many clients do at once. Take `begin()` before a request is sent and hand it back with what came of
 * it: one counter orders both, so that the checker knows which outcome was known before which request.
 */
export class HistoryRecorder {
  readonly #events: ClientEvent[] = [];
  #clock = 0;

  begin(): number {
    this.#clock += 1;
    return this.#clock;
  }

  end(began: number, observed: Observed): void {
    this.#clock += 1;
    this.#events.push({ ...observed, began, ended: this.#clock });
  }

  /** A recorder with the same past and a future of its own. */
  fork(): HistoryRecorder {
    const fork = new HistoryRecorder();
    fork.#events.push(...this.#events);
    fork.#clock = this.#clock;
    return fork;
  }

  get events(): readonly ClientEvent[] {
    return this.#events;
  }
}
