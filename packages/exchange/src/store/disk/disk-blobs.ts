import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Blobs, isBlobName } from '../blobs.ts';
import { BodyFault } from '../bodies.ts';
import { diskFault } from './disk-fault.ts';
import { errorCode, nodeFileSystem } from './file-system.ts';
import { unfinishedStart } from './unfinished.ts';

const readBytes = 1024 * 1024;
const createAttemptsMax = 5;

/** Blobs as files under a folder, which is made when it is missing. */
export class DiskBlobs implements Blobs {
  readonly #root: string;

  /** `root` is an absolute path. */
  constructor(root: string) {
    this.#root = root;
  }

  async size(name: string): Promise<number | undefined> {
    try {
      return (await stat(this.#path(name))).size;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw diskFault('looking for a copy', error);
    }
  }

  async *read(name: string): AsyncGenerator<Uint8Array, void, void> {
    try {
      yield* createReadStream(this.#path(name), { highWaterMark: readBytes }) as AsyncIterable<Uint8Array>;
    } catch (error) {
      if (isMissing(error)) throw new BodyFault('missing', 'there is no copy of this name', { cause: error });
      throw diskFault('reading a copy', error);
    }
  }

  async write(name: string, pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    const path = this.#path(name);
    const folder = dirname(path);
    const aside = join(folder, `${unfinishedStart}${randomBytes(8).toString('hex')}`);
    try {
      const file = await writing(this.#create(folder, aside));
      try {
        for await (const piece of pieces) await writing(file.appendFile(piece));
        await writing(file.sync());
      } finally {
        await writing(file.close());
      }
      await writing(rename(aside, path));
      await writing(nodeFileSystem.syncDirectory(folder));
    } catch (error) {
      await rm(aside, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  async *list(start: string): AsyncGenerator<string, void, void> {
    yield* this.#listFolder(start);
  }

  async remove(names: readonly string[]): Promise<void> {
    const folders = new Set<string>();
    try {
      for (const name of names) {
        const path = this.#path(name);
        await rm(path, { force: true });
        folders.add(dirname(path));
      }
      for (const folder of folders) await this.#tidy(folder);
    } catch (error) {
      if (error instanceof BodyFault) throw error;
      throw diskFault('removing a copy', error);
    }
  }

  async removeUnfinished(beforeMs: number): Promise<void> {
    try {
      await this.#removeUnfinishedIn(this.#root, beforeMs);
    } catch (error) {
      throw diskFault('removing what was left of a copy', error);
    }
  }

  close(): void {
    // Nothing is held between calls.
  }

  async *#listFolder(start: string): AsyncGenerator<string, void, void> {
    const entries = await readdir(join(this.#root, start), { withFileTypes: true }).catch((error) => {
      if (isMissing(error)) return [];
      throw diskFault('listing copies', error);
    });
    // A folder stands where its names stand: 'a-b' comes before 'a/b'.
    const named = entries.map((entry) => ({ entry, key: entry.isDirectory() ? `${entry.name}/` : entry.name }));
    for (const { entry, key } of named.sort((a, b) => (a.key < b.key ? -1 : 1))) {
      if (entry.isDirectory()) yield* this.#listFolder(`${start}${key}`);
      else if (isBlobName(entry.name)) yield `${start}${key}`;
    }
  }

  async #removeUnfinishedIn(folder: string, beforeMs: number): Promise<void> {
    let removed = false;
    for (const entry of await unlessMissing(readdir(folder, { withFileTypes: true }), [])) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) await this.#removeUnfinishedIn(path, beforeMs);
      else if (entry.isFile() && entry.name.startsWith(unfinishedStart)) {
        const writtenAtMs = (await unlessMissing(stat(path), undefined))?.mtimeMs;
        if (writtenAtMs === undefined || writtenAtMs >= beforeMs) continue;
        await rm(path, { force: true });
        removed = true;
      }
    }
    if (removed) await this.#tidy(folder);
  }

  /** Somebody may take the empty folder away between its making and the file's. */
  async #create(folder: string, aside: string): Promise<FileHandle> {
    for (let attempt = 1; ; attempt += 1) {
      await this.#ensureFolder(folder);
      try {
        return await open(aside, 'wx', 0o640);
      } catch (error) {
        if (!isMissing(error) || attempt === createAttemptsMax) throw error;
      }
    }
  }

  async #ensureFolder(folder: string): Promise<void> {
    const firstMade = await mkdir(folder, { recursive: true, mode: 0o750 });
    if (firstMade === undefined) return;
    // Each folder that was made is flushed into its parent.
    for (let at = folder; at.length >= firstMade.length; at = dirname(at))
      await nodeFileSystem.syncDirectory(dirname(at));
  }

  /** Flushes that names are gone from the folder; one that is left empty goes too. */
  async #tidy(folder: string): Promise<void> {
    if (folder === this.#root) return nodeFileSystem.syncDirectory(folder);
    try {
      await rmdir(folder);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      if (errorCode(error) === 'ENOTEMPTY') return nodeFileSystem.syncDirectory(folder);
      throw error;
    }
    return this.#tidy(dirname(folder));
  }

  #path(name: string): string {
    if (!isBlobName(name)) throw new BodyFault('missing', 'there is no copy of this name');
    return join(this.#root, name);
  }
}

/** What the disk refuses is a fault of this store; what the pieces come from throws its own. */
async function writing<R>(work: Promise<R>): Promise<R> {
  try {
    return await work;
  } catch (error) {
    throw diskFault('writing a copy', error);
  }
}

/** Others may write and remove meanwhile. */
async function unlessMissing<R, I>(found: Promise<R>, instead: I): Promise<R | I> {
  try {
    return await found;
  } catch (error) {
    if (isMissing(error)) return instead;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(errorCode(error));
}
