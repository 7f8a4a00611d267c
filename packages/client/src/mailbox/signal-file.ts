import { readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

const name = 'mexclient.sig';

/**
 * True when somebody asked by the signal file to stop: a file that is not empty and was written after the process
 * began. It is removed, so that the next start is not stopped by it.
 */
export async function takeSignal(folder: string, startedMs: number): Promise<boolean> {
  const file = join(folder, name);
  try {
    const { mtimeMs } = await stat(file);
    // File times are coarser than clocks on some disks.
    if (mtimeMs < startedMs - clockGrainMs || (await readFile(file, 'latin1')).trim() === '') return false;
    await unlink(file);
    return true;
  } catch {
    // It is not there, or not yet readable: the next look tells.
    return false;
  }
}

const clockGrainMs = 2000;

export function signalFileIn(folder: string): string {
  return join(folder, name);
}
