import { type FileHandle, lstat, open, rename, rm, unlink } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

/** What network shares and virus scanners answer for a moment, and what is then tried again. */
const passing = new Set(['EBUSY', 'EPERM', 'EACCES', 'ENOTEMPTY', 'EAGAIN', 'EMFILE', 'ENFILE']);
const triesMax = 5;
const firstPauseMs = 50;

/** Does a file operation, again after a moment when something else holds the file. Throws the last error. */
async function persistently<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await work();
    } catch (error) {
      // Elsewhere than on Windows and shares these errors do not pass, but waiting for a fifth of a second harms nobody.
      if (tried >= triesMax || !passing.has(codeOf(error))) throw error;
      await pause(firstPauseMs * tried);
    }
  }
}

/** The system's code of a failed operation, such as ENOSPC; the message would hold a path. */
export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? 'unknown';
}

/** Replaces or makes a file, and flushes it. Its folder is not flushed. `mode` counts where it is made. */
export async function writeFlushed(path: string, bytes: Uint8Array, mode = 0o666): Promise<void> {
  const handle = await persistently(() => open(path, 'w', mode));
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Flushes the names in a folder. Windows has no such thing, and some shares refuse it. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    await handle.sync();
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EISDIR'].includes(codeOf(error))) throw error;
  } finally {
    await handle?.close();
  }
}

/** Moves a file within a volume, over what is there. False when there is no such file; throws when its new folder is not there. */
export async function moveFile(from: string, to: string): Promise<boolean> {
  try {
    await persistently(() => rename(from, to));
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && !(await isThere(from))) return false;
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}

/** Removes a file; a file that is not there is no error. */
export async function removeFile(path: string): Promise<void> {
  try {
    await persistently(() => unlink(path));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** Removes a file or folder of our own making. */
export async function removeOwn(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}
