export interface GatheringOptions<J> {
  /** Takes from the front of the queue what may be done together now; what it leaves waits for the next batch. */
  readonly take: (queue: J[]) => readonly J[];
  /** Never rejects: resolves to what tells whoever asked what became of it. */
  readonly answer: (batch: readonly J[]) => Promise<() => void>;
}

/** Where each was told as soon as it was done. */
export const toldAlready = (): void => undefined;

/** Jobs of one connection, in batches: while one batch is on its way the next gathers. */
export class Gathering<J> {
  readonly #options: GatheringOptions<J>;
  readonly #queue: J[] = [];
  readonly #waiters: (() => void)[] = [];
  #flying = 0;
  /** Answered, and about to be told. */
  #untold = 0;
  #scheduled = false;

  constructor(options: GatheringOptions<J>) {
    this.#options = options;
  }

  /** Jobs waiting or in flight. */
  get waiting(): number {
    return this.#queue.length + this.#flying + this.#untold;
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

  /** The engine gets the next batch before those of the last are told: their answers are written while it works. */
  async #run(): Promise<void> {
    const batch = this.#options.take(this.#queue);
    this.#flying = batch.length;
    const tell = await this.#options.answer(batch);
    this.#flying = 0;
    this.#untold += batch.length;
    if (this.#queue.length === 0) {
      this.#tell(batch, tell);
      return;
    }
    setImmediate(() => this.#tell(batch, tell));
    void this.#run();
  }

  #tell(batch: readonly J[], tell: () => void): void {
    this.#untold -= batch.length;
    tell();
    if (this.waiting === 0) for (const settled of this.#waiters.splice(0)) settled();
  }
}
