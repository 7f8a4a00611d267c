import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Random } from './seeded-random.ts';

/** The smallest piece of a write that a disk keeps or loses whole. */
const sectorBytes = 512;

/** Which of the changes never flushed survive a cut: POSIX allows any subset. */
export type Survivors = 'none' | 'all' | 'some';

interface FileWrite {
  readonly position: number;
  readonly bytes: Buffer;
  /** A flush covers only writes completed before it began. */
  completed: boolean;
}

/** What a power cut leaves of one file: its flushed bytes and any of the writes since. */
export class FlushedFile {
  #flushed = Buffer.alloc(0);
  #since: FileWrite[] = [];

  begin(position: number, bytes: Uint8Array): FileWrite {
    const write = { position, bytes: Buffer.from(bytes), completed: false };
    this.#since.push(write);
    return write;
  }

  /** The writes a flush that begins now will cover. */
  covered(): readonly FileWrite[] {
    return this.#since.filter((write) => write.completed);
  }

  flush(covered: readonly FileWrite[]): void {
    for (const write of covered) this.#apply(write.position, write.bytes);
    this.lose(covered);
  }

  /** After a failed flush the system may call the pages clean: no later flush writes them. */
  lose(covered: readonly FileWrite[]): void {
    this.#since = this.#since.filter((write) => !covered.includes(write));
  }

  /** Keeps what survives and answers it. */
  settle(survivors: Survivors, random: Random): Buffer {
    for (const { position, bytes } of this.#since) {
      if (survivors === 'all') this.#apply(position, bytes);
      if (survivors === 'some') this.#tear(position, bytes, random);
    }
    this.#since = [];
    return this.#flushed;
  }

  #tear(position: number, bytes: Buffer, random: Random): void {
    const kept = random();
    for (let at = 0; at < bytes.length; at += sectorBytes) {
      if (random() < kept) this.#apply(position + at, bytes.subarray(at, at + sectorBytes));
    }
  }

  #apply(position: number, bytes: Buffer): void {
    const end = position + bytes.length;
    if (end > this.#flushed.length) {
      const longer = Buffer.alloc(end);
      this.#flushed.copy(longer);
      this.#flushed = longer;
    }
    bytes.copy(this.#flushed, position);
  }
}

export type FlushedNode = FlushedFile | FlushedDirectory;

interface EntryChange {
  readonly name: string;
  /** Undefined: the name was removed. */
  readonly node: FlushedNode | undefined;
}

/** What a power cut leaves of one directory: its flushed entries and any of the changes since. */
export class FlushedDirectory {
  #flushed = new Map<string, FlushedNode>();
  #since: EntryChange[] = [];

  change(name: string, node: FlushedNode | undefined): void {
    this.#since.push({ name, node });
  }

  covered(): readonly EntryChange[] {
    return [...this.#since];
  }

  flush(covered: readonly EntryChange[]): void {
    for (const change of covered) this.#apply(change);
    this.lose(covered);
  }

  lose(covered: readonly EntryChange[]): void {
    this.#since = this.#since.filter((change) => !covered.includes(change));
  }

  /** What the running system sees under a name. */
  now(name: string): FlushedNode | undefined {
    const last = this.#since.findLast((change) => change.name === name);
    return last === undefined ? this.#flushed.get(name) : last.node;
  }

  /** Replaces the real directory at `path` by what survives. */
  async settle(path: string, survivors: Survivors, random: Random): Promise<void> {
    for (const change of this.#since) {
      if (survivors === 'all' || (survivors === 'some' && random() < 0.5)) this.#apply(change);
    }
    this.#since = [];
    for (const name of await readdir(path)) await rm(join(path, name), { recursive: true });
    for (const [name, node] of this.#flushed) {
      const below = join(path, name);
      if (node instanceof FlushedFile) {
        await writeFile(below, node.settle(survivors, random));
      } else {
        await mkdir(below);
        await node.settle(below, survivors, random);
      }
    }
  }

  #apply({ name, node }: EntryChange): void {
    if (node === undefined) this.#flushed.delete(name);
    else this.#flushed.set(name, node);
  }
}
