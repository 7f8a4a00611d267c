/**
 * Two buffers to read into, in turn. Fresh ones for each read would be garbage of tens of megabytes before the collector
 * sees a reason to run; two are enough where no block but the latest is in use when the next is made.
 */
export class BlockPair {
  readonly #blocks: readonly [Buffer, Buffer];
  #turn: 0 | 1 = 0;

  constructor(blockBytes: number) {
    this.#blocks = [Buffer.allocUnsafeSlow(blockBytes), Buffer.allocUnsafeSlow(blockBytes)];
  }

  next(): Buffer {
    this.#turn = this.#turn === 0 ? 1 : 0;
    return this.#blocks[this.#turn];
  }
}
