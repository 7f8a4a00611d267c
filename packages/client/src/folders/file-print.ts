import { type BigIntStats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { codeOf } from './durable.ts';

/** A file as it looked at one moment. */
export interface FileSeen {
  /** Size and time of change: what tells one content of a name from the next. Inodes change when a share is mounted again. */
  readonly print: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** When its content or its place was last changed: a file that is moved keeps the time of its content. */
  readonly touchedMs: number;
}

/** What a look at a path found; undefined when nothing is there, or what is there is no regular file (a link, a pipe). */
export async function seeFile(path: string): Promise<FileSeen | undefined> {
  try {
    return seenOf(await lstat(path, { bigint: true }));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return undefined;
    throw error;
  }
}

/** Whether anything at all has this name, a folder or a link among them: no file can be put there. */
export async function isTaken(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return false;
    throw error;
  }
}

export function seenOf(stats: BigIntStats): FileSeen | undefined {
  if (!stats.isFile()) return undefined;
  return {
    print: `${stats.size}:${stats.mtimeNs}`,
    sizeBytes: Number(stats.size),
    modifiedMs: Number(stats.mtimeMs),
    touchedMs: Math.max(Number(stats.mtimeMs), Number(stats.ctimeMs)),
  };
}
