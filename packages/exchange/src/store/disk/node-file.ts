import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { digestBlockBytes } from '../bodies.ts';
import { isPageAligned, pageBytes } from '../transfer/aligned-memory.ts';
import type { OpenFile } from './file-system.ts';

/**
 * The beginning of a body goes through the system's cache: most bodies are no longer and are collected within minutes,
 * which then costs no reading. What follows goes past the cache: a copy less, and a large message does not push the
 * ledger's pages and other bodies out of memory.
 */
const cachedBytes = digestBlockBytes;

/** Below this, bytes, a transfer past the cache costs more than the copy it saves. */
const directBytesMin = 64 * 1024;

/**
 * One write through the cache takes at most this much. Measured on a virtual machine in one run of `bench -- large`:
 * 4.3 ms of CPU a MB, against 6.0 with writes of 1 MiB, 4.6 with 256 KiB and 5.3 with 128 KiB; why, was not isolated.
 */
const cachedWriteBytesMax = 512 * 1024;

/** What a file needs of each of its descriptors. */
type Descriptor = Pick<FileHandle, 'read' | 'write' | 'datasync' | 'close'>;

/** A file of the operating system; page-aligned memory goes past its cache where the file system can (`O_DIRECT`). */
export class NodeFile implements OpenFile {
  readonly #cached: Descriptor;
  readonly #openSecond: () => Promise<Descriptor>;
  /** For transfers past the cache, opened by the first of them; undefined where that is refused. */
  #direct: Promise<Descriptor | undefined> | undefined;
  #directRefused = false;

  /** `openDirect` opens the same file once more, for transfers past the cache. */
  constructor(cached: Descriptor, openDirect: () => Promise<Descriptor>) {
    this.#cached = cached;
    this.#openSecond = openDirect;
  }

  async write(bytes: Uint8Array, position: number): Promise<number> {
    const length = directLength(bytes, position);
    const direct = length === 0 ? undefined : await this.#openDirect();
    if (direct !== undefined) {
      try {
        return (await direct.write(bytes, 0, length, position)).bytesWritten;
      } catch (error) {
        this.#refuseDirect(error);
      }
    }
    return (await this.#cached.write(bytes, 0, Math.min(bytes.length, cachedWriteBytesMax), position)).bytesWritten;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    const length = directLength(into, position);
    const direct = length === 0 ? undefined : await this.#openDirect();
    if (direct !== undefined) {
      try {
        return (await direct.read(into, 0, length, position)).bytesRead;
      } catch (error) {
        this.#refuseDirect(error);
      }
    }
    return (await this.#cached.read(into, 0, into.length, position)).bytesRead;
  }

  /**
   * Both descriptors are of one file, so this covers what went either way: past the system's cache is not yet past the
   * disk's. fdatasync is enough: it flushes the size too, and no promise depends on the other attributes.
   */
  sync(): Promise<void> {
    return this.#cached.datasync();
  }

  async close(): Promise<void> {
    const direct = await this.#direct;
    try {
      await direct?.close();
    } finally {
      await this.#cached.close();
    }
  }

  /** A file system that cannot, or a process without a descriptor to spare, uses the cache: no error of its own. */
  async #openDirect(): Promise<Descriptor | undefined> {
    if (this.#directRefused) return undefined;
    this.#direct ??= this.#openSecond().catch(() => undefined);
    return this.#direct;
  }

  /** Some file systems refuse only the transfer itself, or ask for a larger alignment than ours. */
  #refuseDirect(error: unknown): void {
    if (!(error instanceof Error && 'code' in error && error.code === 'EINVAL')) throw error;
    this.#directRefused = true;
  }
}

/** Creates a file for reading and writing, readable by the service's user and group only. */
export async function createNodeFile(path: string): Promise<NodeFile> {
  return new NodeFile(await open(path, 'wx+', 0o640), () => openDirectly(path, constants.O_WRONLY));
}

export async function openNodeFile(path: string): Promise<NodeFile> {
  return new NodeFile(await open(path, 'r'), () => openDirectly(path, constants.O_RDONLY));
}

function openDirectly(path: string, access: number): Promise<FileHandle> {
  // Not every system has the flag, whatever the types say.
  const direct: number | undefined = constants.O_DIRECT;
  if (direct === undefined) return Promise.reject(new Error('this system has no way past its cache'));
  return open(path, access | direct);
}

/** How many of the bytes, from the first on, can go past the cache: whole pages, 0 when it does not pay. */
function directLength(bytes: Uint8Array, position: number): number {
  if (bytes.length < directBytesMin || position < cachedBytes) return 0;
  return position % pageBytes === 0 && isPageAligned(bytes) ? bytes.length - (bytes.length % pageBytes) : 0;
}
