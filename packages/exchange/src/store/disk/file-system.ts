import { constants } from 'node:fs';
import { access, mkdir, open, readdir, rmdir, stat, statfs, unlink } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { createNodeFile, openNodeFile } from './node-file.ts';

/** One open file. Positions and lengths are bytes; every method rejects with the system's error (`code` ENOSPC, EIO …). */
export interface OpenFile {
  /** Writes at `position`; answers the bytes taken, which may be fewer than given. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  /** Reads from `position`; answers the bytes read, which may be fewer than asked; 0 at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Returns when every write completed so far, and the size needed to read it back, is on stable storage. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly isDirectory: boolean;
}

/**
 * All the disk body store asks of a file system. It is injected so that tests can run the store on a real disk that
 * also fails, and that forgets at a power cut whatever was not synced.
 */
export interface FileSystem {
  /** Creates a file for reading and writing; rejects with EEXIST when the name is taken. */
  create(path: string): Promise<OpenFile>;
  /** Opens a file for reading. */
  open(path: string): Promise<OpenFile>;
  /**
   * Makes one directory; false when it was there already. The entry is durable only after its parent was synced. Rejects
   * when something else has the name (ENOTDIR), or it is a directory that this process may not read or write in.
   */
  makeDirectory(path: string): Promise<boolean>;
  /** Returns when every entry made in the directory so far is on stable storage. */
  syncDirectory(path: string): Promise<void>;
  readDirectory(path: string): Promise<readonly DirectoryEntry[]>;
  unlink(path: string): Promise<void>;
  /** When the file was last written to, in milliseconds since 1970. */
  modifiedAtMs(path: string): Promise<number>;
  /** Rejects with ENOTEMPTY when something is left in it. */
  removeDirectory(path: string): Promise<void>;
  /** Bytes an ordinary user may still write to the file system that holds `path`. */
  freeBytes(path: string): Promise<number>;
}

async function makeDirectory(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o750 });
    return true;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    await access(join(path, sep), constants.R_OK | constants.W_OK | constants.X_OK);
    return false;
  }
}

async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open a directory for flushing; NTFS journals its entries itself.
  if (process.platform === 'win32') return;
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The operating system's own file system. */
export const nodeFileSystem: FileSystem = {
  create: createNodeFile,
  open: openNodeFile,
  makeDirectory,
  syncDirectory,
  readDirectory: async (path) =>
    (await readdir(path, { withFileTypes: true })).map((e) => ({ name: e.name, isDirectory: e.isDirectory() })),
  unlink,
  modifiedAtMs: async (path) => (await stat(path)).mtimeMs,
  removeDirectory: rmdir,
  freeBytes: async (path) => {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
};

/** The system's code of a rejected call ('ENOENT' …); '' when the error carries none. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
