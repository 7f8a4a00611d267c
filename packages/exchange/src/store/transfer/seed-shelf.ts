/** Seeds kept for reuse; more may exist while more bodies are open. */
const keptMax = 64;

/**
 * Small buffers of shared memory in which every body begins. They are not rationed: one belongs to each open body, and
 * the store bounds the number of those.
 */
export class SeedShelf {
  readonly seedBytes: number;
  readonly #kept: Buffer[] = [];

  constructor(seedBytes: number) {
    this.seedBytes = seedBytes;
  }

  take(): Buffer {
    return this.#kept.pop() ?? Buffer.from(new SharedArrayBuffer(this.seedBytes));
  }

  give(seed: Buffer): void {
    if (this.#kept.length < keptMax) this.#kept.push(seed);
  }
}
