import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, removeFile } from './durable.ts';
import { seeFile } from './file-print.ts';
import { splitName } from './names.ts';

/** Removes files of pairs from a folder that have not changed for so long; 0 removes nothing. Answers how many. */
export async function sweepFolder(root: string, folder: string, keepMs: number, nowMs: number): Promise<number> {
  if (keepMs === 0) return 0;
  let removed = 0;
  for (const name of await listFolder(join(root, folder))) {
    if (splitName(name) === undefined) continue;
    const path = join(root, folder, name);
    const seen = await seeFile(path);
    if (seen === undefined || nowMs - seen.modifiedMs < keepMs) continue;
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
