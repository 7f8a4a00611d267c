import { readFile } from 'node:fs/promises';
import type { ControlFile } from '../control-file/control-file.ts';
import { ControlFileFault, readControlFile } from '../control-file/read-control-file.ts';

/** Undefined when it cannot be read as a control file. */
export async function readControl(path: string): Promise<ControlFile | undefined> {
  try {
    return readControlFile(await readFile(path));
  } catch (error) {
    if (
      error instanceof ControlFileFault ||
      ['EISDIR', 'EACCES', 'EPERM', 'ENOENT'].includes(String((error as NodeJS.ErrnoException).code))
    ) {
      return undefined;
    }
    throw error;
  }
}
