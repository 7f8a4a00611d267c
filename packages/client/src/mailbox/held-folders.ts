import { access, mkdir } from 'node:fs/promises';
import { codeOf } from '../folders/durable.ts';
import type { MailboxTree } from '../folders/mailbox-tree.ts';
import { lockRoot, type RootLock } from './root-lock.ts';

/** The folders of a mailbox, taken for this process, and kept whatever is done to TEMP meanwhile. */
export class HeldFolders implements Disposable {
  readonly tree: MailboxTree;
  readonly #nowMs: () => number;
  #lock: RootLock;
  #taking: Promise<void> | undefined;

  /** Throws LockedByAnother. */
  constructor(tree: MailboxTree, nowMs: () => number) {
    this.tree = tree;
    this.#nowMs = nowMs;
    this.#lock = lockRoot(tree.temp, nowMs());
  }

  /**
   * Before each turn. A TEMP that was emptied, or went and came back as another folder, keeps nobody out and has no place
   * to build files in: both are put right. Throws LockedByAnother, and what a TEMP that is gone throws; no folder of the
   * mailbox is made here, for a share that is away must not become a local folder.
   */
  async keep(): Promise<void> {
    await this.#taking;
    if (await this.#lock.isHeld()) return;
    this.#taking ??= this.#take().finally(() => {
      this.#taking = undefined;
    });
    await this.#taking;
  }

  async #take(): Promise<void> {
    const { temp, staging, stagesInTemp } = this.tree;
    await access(temp);
    this.#lock[Symbol.dispose]();
    this.#lock = lockRoot(temp, this.#nowMs());
    if (!stagesInTemp) return;
    await mkdir(staging).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  }

  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }
}
