import type { Filing } from './file-pair.ts';

/** Pairs filed beside the next ones being sent: those that wait together, a bounded number, none of whose failures is lost. */
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

  /** Resolves as soon as there is room. Throws when an earlier one failed: then nothing more should be sent. */
  async add(filing: Filing): Promise<void> {
    this.#waiting.push(filing);
    this.#running ??= this.#run();
    while (this.#waiting.length >= this.#waitingMax && this.#running !== undefined) await this.#running;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Waits for all. Throws the first failure. */
  async done(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** One batch, and the next where something waits by then; after a failure what waits is left to the next turn. */
  async #run(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    try {
      await this.#file(batch);
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#running = this.#waiting.length > 0 && this.#failure === undefined ? this.#run() : undefined;
  }
}
