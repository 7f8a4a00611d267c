import { dirname, relative, sep } from 'node:path';
import {
  type DirectoryEntry,
  type FileSystem,
  nodeFileSystem,
  type OpenFile,
} from '@openmesh/exchange/store/disk/file-system.ts';
import { type DiskFault, type DiskOperation, FaultScript, systemError } from './fault-script.ts';
import { FlushedDirectory, FlushedFile, type Survivors } from './flushed-tree.ts';
import { seededRandom } from './seeded-random.ts';

/** Which flushes the disk performs; all but 'honest' answer "done" to the others and forget. */
export type FlushHonesty = 'honest' | 'files only' | 'directories only' | 'none';

export interface ForgetfulDiskOptions {
  readonly flushes?: FlushHonesty;
  /** The power fails at this operation (1-based, of any kind): it may take effect or not, and nothing after it does. */
  readonly powerFailsAt?: number;
}

/**
 * A file system over the real files below `root` that knows what was flushed. At `cut` the real files become what a
 * power cut might have left: everything flushed, and of the rest none, all, or a seeded choice torn at sectors. An
 * entry whose directory was not flushed is lost with all that is below it. Faults can be scripted.
 */
export class ForgetfulDisk implements FileSystem {
  readonly faults = new FaultScript();
  /** What `freeBytes` answers; undefined asks the real file system. */
  freeSpaceBytes: number | undefined;
  readonly #root: string;
  readonly #flushes: FlushHonesty;
  readonly #tree = new FlushedDirectory();
  #failsAt: number;
  #operations = 0;
  #powered = true;
  /** Files opened before a cut stay dead after it. */
  #life = 0;
  /** Closed at a cut, for no process is left to close them. */
  readonly #openFiles = new Set<OpenFile>();
  readonly #running = new Set<Promise<unknown>>();

  constructor(root: string, options: ForgetfulDiskOptions = {}) {
    this.#root = root;
    this.#flushes = options.flushes ?? 'honest';
    this.#failsAt = options.powerFailsAt ?? Number.POSITIVE_INFINITY;
  }

  /** Files not closed yet. */
  get openFiles(): number {
    return this.#openFiles.size;
  }

  /** Scripts what goes wrong from now on; none lifts all faults. */
  script(...faults: DiskFault[]): void {
    this.faults.set(faults);
  }

  /** Cuts the power, forgets what was not flushed, and starts again on what is left. */
  async cut(survivors: Survivors, seed = 1): Promise<void> {
    this.#powered = false;
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    await Promise.all([...this.#openFiles].map((file) => file.close()));
    this.#openFiles.clear();
    await this.#tree.settle(this.#root, survivors, seededRandom(seed));
    this.#life += 1;
    this.#failsAt = Number.POSITIVE_INFINITY;
    this.#powered = true;
  }

  create(path: string): Promise<OpenFile> {
    return this.#operate('create', async () => {
      const real = await nodeFileSystem.create(path);
      const file = new FlushedFile();
      this.#directory(dirname(path)).change(name(path), file);
      return this.#opened(real, file);
    });
  }

  open(path: string): Promise<OpenFile> {
    return this.#operate('open', async () => {
      const real = await nodeFileSystem.open(path);
      const file = this.#directory(dirname(path)).now(name(path));
      return this.#opened(real, file instanceof FlushedFile ? file : new FlushedFile());
    });
  }

  makeDirectory(path: string): Promise<boolean> {
    return this.#operate('makeDirectory', async () => {
      const made = await nodeFileSystem.makeDirectory(path);
      if (made) this.#directory(dirname(path)).change(name(path), new FlushedDirectory());
      return made;
    });
  }

  syncDirectory(path: string): Promise<void> {
    // A parent of the root is no part of this disk: it was always there.
    if (relative(this.#root, path).startsWith('..')) return Promise.resolve();
    const directory = this.#directory(path);
    return this.#flush('syncDirectory', directory.covered(), directory);
  }

  readDirectory(path: string): Promise<readonly DirectoryEntry[]> {
    return this.#operate('readDirectory', () => nodeFileSystem.readDirectory(path));
  }

  unlink(path: string): Promise<void> {
    return this.#operate('unlink', () => this.#take(path, nodeFileSystem.unlink(path)));
  }

  modifiedAtMs(path: string): Promise<number> {
    return this.#operate('modifiedAtMs', () => nodeFileSystem.modifiedAtMs(path));
  }

  removeDirectory(path: string): Promise<void> {
    return this.#operate('removeDirectory', () => this.#take(path, nodeFileSystem.removeDirectory(path)));
  }

  freeBytes(path: string): Promise<number> {
    return this.#operate('freeBytes', () =>
      this.freeSpaceBytes === undefined ? nodeFileSystem.freeBytes(path) : Promise.resolve(this.freeSpaceBytes),
    );
  }

  async #take(path: string, removing: Promise<void>): Promise<void> {
    await removing;
    this.#directory(dirname(path)).change(name(path), undefined);
  }

  #opened(real: OpenFile, file: FlushedFile): OpenFile {
    this.#openFiles.add(real);
    const life = this.#life;
    const alive = (operation: DiskOperation) => {
      if (life !== this.#life) throw systemError('EIO', operation);
    };
    return {
      write: async (bytes, position) => {
        alive('write');
        return this.#write(real, file, bytes, position);
      },
      read: async (into, position) => {
        alive('read');
        return this.#read(real, into, position);
      },
      sync: async () => {
        alive('sync');
        await this.#flush('sync', file.covered(), file);
      },
      close: async () => {
        alive('close');
        this.#openFiles.delete(real);
        await this.#operate('close', () => real.close()).catch(async (error) => {
          // Told as a failure, but the descriptor is gone, as with the system's own close.
          await real.close().catch(() => undefined);
          throw error;
        });
      },
    };
  }

  #write(real: OpenFile, file: FlushedFile, given: Uint8Array, position: number): Promise<number> {
    const begun = this.#powered ? file.begin(position, given) : undefined;
    return this.#operate(
      'write',
      async (twist) => {
        const bytes = twist === 'flip' ? flipped(given) : given.subarray(0, shortened(given.length, twist));
        if (begun !== undefined) file.lose([begun]);
        const write = file.begin(position, bytes);
        let written = 0;
        while (written < bytes.length) written += await real.write(bytes.subarray(written), position + written);
        write.completed = true;
        return bytes.length;
      },
      given.length,
    );
  }

  #read(real: OpenFile, into: Uint8Array, position: number): Promise<number> {
    return this.#operate('read', async (twist) => {
      const count = await real.read(into.subarray(0, shortened(into.length, twist)), position);
      if (twist === 'flip') into.set(flipped(into.subarray(0, count)));
      return count;
    });
  }

  /** The model decides what is durable, so the real disk is not made to flush. */
  async #flush<T>(
    operation: 'sync' | 'syncDirectory',
    covered: readonly T[],
    node: { flush(covered: readonly T[]): void; lose(covered: readonly T[]): void },
  ): Promise<void> {
    const honest =
      this.#flushes === 'honest' || this.#flushes === (operation === 'sync' ? 'files only' : 'directories only');
    try {
      await this.#operate(operation, async () => {
        await new Promise((resolve) => void setImmediate(resolve));
        if (honest && this.#powered) node.flush(covered);
      });
    } catch (error) {
      if (this.#powered) node.lose(covered);
      throw error;
    }
  }

  /** Runs one operation if there is power before and after it. */
  async #operate<T>(
    operation: DiskOperation,
    run: (twist: 'short' | 'nothing' | 'flip' | undefined) => Promise<T>,
    bytes = 0,
  ): Promise<T> {
    if (this.#powered) this.#operations += 1;
    if (this.#operations >= this.#failsAt) this.#powered = false;
    if (!this.#powered) throw systemError('EIO', operation);
    const running = run(this.faults.enter(operation, bytes));
    this.#running.add(running);
    try {
      const result = await running;
      if (!this.#powered) throw systemError('EIO', operation);
      return result;
    } finally {
      this.#running.delete(running);
    }
  }

  #directory(path: string): FlushedDirectory {
    let at = this.#tree;
    for (const part of relative(this.#root, path).split(sep)) {
      const below = part === '' ? at : at.now(part);
      if (!(below instanceof FlushedDirectory)) throw systemError('ENOENT', 'open');
      at = below;
    }
    return at;
  }
}

function name(path: string): string {
  return path.slice(path.lastIndexOf(sep) + 1);
}

function shortened(length: number, twist: 'short' | 'nothing' | 'flip' | undefined): number {
  if (twist === 'nothing') return 0;
  return twist === 'short' ? Math.max(1, Math.floor(length / 2)) : length;
}

function flipped(bytes: Uint8Array): Buffer {
  const copy = Buffer.from(bytes);
  const at = Math.floor(copy.length / 2);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
