import { join } from 'node:path';
import { BodyFault } from '../bodies.ts';
import { diskFault } from './disk-fault.ts';
import { errorCode, type FileSystem } from './file-system.ts';

/** Directories remembered as made; a day has at most 1,296 of them. */
const rememberedMax = 4_096;

/** Makes directories whose own entry survives a power cut: the parent is synced before a file is made inside. */
export class DurableDirectories {
  readonly #root: string;
  readonly #fileSystem: FileSystem;
  readonly #made = new Map<string, Promise<void>>();

  readonly #refused = new Set<string>();
  readonly #onFlushFailure: (fault: BodyFault) => void;

  constructor(root: string, fileSystem: FileSystem, onFlushFailure: (fault: BodyFault) => void) {
    this.#root = root;
    this.#fileSystem = fileSystem;
    this.#onFlushFailure = onFlushFailure;
  }

  /** Resolves when the directory at `segments` below the root is there for good. */
  async ensure(segments: readonly string[]): Promise<void> {
    for (let depth = 1; depth <= segments.length; depth += 1) {
      await this.#ensureOne(join(this.#root, ...segments.slice(0, depth - 1)), segments[depth - 1] ?? '');
    }
  }

  /** Forgets what was made, for someone removed it. */
  forget(): void {
    this.#made.clear();
  }

  #ensureOne(parent: string, name: string): Promise<void> {
    const path = join(parent, name);
    if (this.#refused.has(path)) return Promise.reject(new BodyFault('io', 'a folder could not be flushed before'));
    const known = this.#made.get(path);
    if (known !== undefined) return known;
    if (this.#made.size >= rememberedMax) this.#made.clear();
    const making = this.#make(parent, path);
    this.#made.set(path, making);
    return making;
  }

  async #make(parent: string, path: string): Promise<void> {
    try {
      await this.#fileSystem.makeDirectory(path);
    } catch (error) {
      this.#made.delete(path);
      throw error;
    }
    try {
      // Also when it was there already: the process that made it may have died before it flushed.
      await this.#fileSystem.syncDirectory(parent);
    } catch (error) {
      const fault = diskFault('flushing a folder', error);
      this.#onFlushFailure(fault);
      await this.#undo(path);
      throw fault;
    }
  }

  /**
   * A failed flush is not asked for again: the system may by then call the lost entry clean. The directory is taken
   * away, so that the next attempt makes a fresh entry; where even that fails, it stays refused by this process.
   */
  async #undo(path: string): Promise<void> {
    const gone = await this.#fileSystem.removeDirectory(path).then(
      () => true,
      (error) => errorCode(error) === 'ENOENT',
    );
    this.#made.delete(path);
    if (!gone) this.#refused.add(path);
  }
}
