import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { ControlFile } from '../control-file/control-file.ts';
import { ControlFileFault, controlFileBytesMax, readControlFile } from '../control-file/read-control-file.ts';
import { codeOf } from '../folders/durable.ts';
import { seenOf } from '../folders/file-print.ts';

/** A link that took the file's place is not followed. Windows has no such flag. */
const readFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0);

/**
 * The control file with this print: `changed` when another has its name by now, or none. Undefined when it cannot be read
 * as a control file. Of one that is larger than any may be nothing is read.
 */
export async function readControl(path: string, print: string): Promise<ControlFile | 'changed' | undefined> {
  try {
    const handle = await open(path, readFlags);
    try {
      return await readOpened(handle, print);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'changed';
    const isUnreadable =
      error instanceof ControlFileFault || ['EISDIR', 'EACCES', 'EPERM', 'ELOOP'].includes(codeOf(error));
    if (isUnreadable) return undefined;
    throw error;
  }
}

async function readOpened(handle: FileHandle, print: string): Promise<ControlFile | 'changed' | undefined> {
  const seen = seenOf(await handle.stat({ bigint: true }));
  if (seen?.print !== print) return 'changed';
  if (seen.sizeBytes > controlFileBytesMax) return undefined;
  const bytes = await handle.readFile();
  const isSame = seenOf(await handle.stat({ bigint: true }))?.print === print;
  return isSame ? readControlFile(bytes) : 'changed';
}
