/** Pairs being filed beside the next ones being sent: a bounded number, none of whose failures is lost. */
export class Filings {
  readonly #atOnceMax: number;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(atOnceMax: number) {
    this.#atOnceMax = atOnceMax;
  }

  /** Begins one as soon as there is room. Throws when an earlier one failed: then nothing more should be sent. */
  async add(file: () => Promise<void>): Promise<void> {
    const running: Promise<void> = file().then(
      () => void this.#running.delete(running),
      (error: unknown) => {
        this.#running.delete(running);
        this.#failure ??= { error };
      },
    );
    this.#running.add(running);
    while (this.#running.size >= this.#atOnceMax) await Promise.race(this.#running);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Waits for all. Throws the first failure. */
  async done(): Promise<void> {
    await Promise.all(this.#running);
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
