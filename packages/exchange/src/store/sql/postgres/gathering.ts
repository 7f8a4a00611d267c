export interface GatheringOptions<J> {
  /** Takes from the front of the queue what may be done together now; what it leaves waits for the next batch. */
  readonly take: (queue: J[]) => readonly J[];
  /** Never rejects: whatever happens is told to whoever asked. */
  readonly answer: (batch: readonly J[]) => Promise<void>;
}

/** Jobs of one connection, in batches: while one batch is on its way the next gathers. */
export class Gathering<J> {
  readonly #options: GatheringOptions<J>;
  readonly #queue: J[] = [];
  readonly #waiters: (() => void)[] = [];
  #flying = 0;
  #scheduled = false;

  constructor(options: GatheringOptions<J>) {
    this.#options = options;
  }

  /** Jobs waiting or in flight. */
  get waiting(): number {
    return this.#queue.length + this.#flying;
  }

  add(job: J): void {
    this.#queue.push(job);
    this.#schedule();
  }

  /** Resolves when all that was added is answered. */
  async settled(): Promise<void> {
    if (this.waiting > 0) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  /** After this turn's events: requests that arrived together are done together. */
  #schedule(): void {
    if (this.#scheduled || this.#flying > 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    const batch = this.#options.take(this.#queue);
    this.#flying = batch.length;
    await this.#options.answer(batch);
    this.#flying = 0;
    if (this.#queue.length > 0) this.#schedule();
    else for (const settled of this.#waiters.splice(0)) settled();
  }
}
