import { join } from 'node:path';
import { errorCode, type FileSystem } from './file-system.ts';

/** Directories remembered as made; a day has at most 1,296 of them. */
const rememberedMax = 4_096;

/** Makes directories whose own entry survives a power cut: the parent is synced before a file is made inside. */
export class DurableDirectories {
  readonly #root: string;
  readonly #fileSystem: FileSystem;
  readonly #made = new Map<string, Promise<void>>();

  constructor(root: string, fileSystem: FileSystem) {
    this.#root = root;
    this.#fileSystem = fileSystem;
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
    const known = this.#made.get(path);
    if (known !== undefined) return known;
    if (this.#made.size >= rememberedMax) this.#made.clear();
    const making = this.#make(parent, path);
    this.#made.set(path, making);
    making.catch(() => this.#undo(path));
    return making;
  }

  /**
   * A failed flush is not asked for again: the system may by then call the lost entry clean. The directory is taken
   * away, so that the next attempt makes a fresh entry; where even that fails, the directory stays refused.
   */
  async #undo(path: string): Promise<void> {
    const gone = await this.#fileSystem.removeDirectory(path).then(
      () => true,
      (error) => errorCode(error) === 'ENOENT',
    );
    if (gone) this.#made.delete(path);
  }

  async #make(parent: string, path: string): Promise<void> {
    await this.#fileSystem.makeDirectory(path);
    // Also when it was there already: the process that made it may have died before it synced.
    await this.#fileSystem.syncDirectory(parent);
  }
}
