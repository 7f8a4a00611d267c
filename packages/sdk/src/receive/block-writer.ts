import type { FileHandle } from 'node:fs/promises';

/** Blocks of a socket are small; written one by one they cost three times what large ones do. */
const blockBytes = 1024 * 1024;

/** Collects small blocks into large ones and writes them at their place in a file. */
export class BlockWriter {
  readonly #handle: FileHandle;
  readonly #block = Buffer.allocUnsafe(blockBytes);
  #filled = 0;
  #position: number;

  constructor(handle: FileHandle, position: number) {
    this.#handle = handle;
    this.#position = position;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + blockBytes - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === blockBytes) await this.#empty();
    }
  }

  /** Everything written so far is on the disk when this resolves. */
  async flush(): Promise<void> {
    await this.#empty();
    await this.#handle.datasync();
  }

  async #empty(): Promise<void> {
    for (let at = 0; at < this.#filled; ) {
      const { bytesWritten } = await this.#handle.write(this.#block, at, this.#filled - at, this.#position);
      at += bytesWritten;
      this.#position += bytesWritten;
    }
    this.#filled = 0;
  }
}
