import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, removeFile } from './durable.ts';
import { seeFile } from './file-print.ts';
import { splitName } from './names.ts';

/**
 * Removes files of pairs that have been in a folder, unchanged, for so long; 0 removes nothing. Answers how many. How old
 * their content is does not count: the data of a pair that failed today may have been written last year.
 */
export async function sweepFolder(root: string, folder: string, keepMs: number, nowMs: number): Promise<number> {
  if (keepMs === 0) return 0;
  let removed = 0;
  for (const name of await listFolder(join(root, folder))) {
    if (splitName(name) === undefined) continue;
    const path = join(root, folder, name);
    const seen = await seeFile(path);
    if (seen === undefined || nowMs - seen.touchedMs < keepMs) continue;
    await removeFile(path);
    removed += 1;
  }
  return removed;
}

async function listFolder(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
