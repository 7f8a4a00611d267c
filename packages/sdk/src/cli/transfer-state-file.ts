import { open, readFile, rename, rm } from 'node:fs/promises';
import { CommandRefusal, exitCodes } from './exit-codes.ts';

const stateBytesMax = 4 * 1024 * 1024;

/** The state of a transfer as a file beside it: written whole or not at all, gone when the transfer is complete. */
export class TransferStateFile<State> {
  readonly #path: string;
  readonly #parse: (json: unknown) => State;

  constructor(path: string, parse: (json: unknown) => State) {
    this.#path = path;
    this.#parse = parse;
  }

  /** Undefined when there is none. */
  async read(): Promise<State | undefined> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return undefined;
      throw new CommandRefusal(exitCodes.file, `the file of the state cannot be read: ${code}`);
    }
    try {
      return this.#parse(text.length > stateBytesMax ? undefined : JSON.parse(text));
    } catch {
      throw new CommandRefusal(exitCodes.file, 'the file of the state holds none; remove it to begin anew');
    }
  }

  async write(state: State): Promise<void> {
    const draft = `${this.#path}.new`;
    const handle = await open(draft, 'w', 0o600);
    try {
      await handle.writeFile(JSON.stringify(state));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, this.#path);
  }

  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}
