import type { Filing } from './file-pair.ts';

/**
 * Pairs filed beside the next ones being sent: those that wait together, a bounded number. A failure stops nobody, for all
 * that was sent is in the journal and is filed by a later turn; the first one is told at the end.
 */
export class Filings {
  readonly #waitingMax: number;
  readonly #file: (batch: readonly Filing[]) => Promise<void>;
  #waiting: Filing[] = [];
  #running: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(waitingMax: number, file: (batch: readonly Filing[]) => Promise<void>) {
    this.#waitingMax = waitingMax;
    this.#file = file;
  }

  /** Resolves as soon as there is room. */
  async add(filing: Filing): Promise<void> {
    this.#waiting.push(filing);
    this.#running ??= this.#run();
    while (this.#waiting.length >= this.#waitingMax && this.#running !== undefined) await this.#running;
  }

  /** Waits for all; answers the first failure. */
  async done(): Promise<{ readonly error: unknown } | undefined> {
    while (this.#running !== undefined) await this.#running;
    return this.#failure;
  }

  /** One batch, and the next where something waits by then. */
  async #run(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    try {
      await this.#file(batch);
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#running = this.#waiting.length > 0 ? this.#run() : undefined;
  }
}
