import { join } from 'node:path';
import type { BodyListing } from '../bodies.ts';
import { dayOf, isDay, isFan, placeOf, refOf } from '../transfer/body-key.ts';
import { diskFault } from './disk-fault.ts';
import { type DirectoryEntry, errorCode, type FileSystem } from './file-system.ts';
import { unfinishedStart } from './unfinished.ts';

/** Emptied folders of days older than this are taken away; newer ones may be about to receive a body. */
const tidyAfterMs = 2 * 86_400_000;

/** The last moment whose day has the form of a folder name. */
const lastDayMs = Date.UTC(9999, 11, 31);

export interface ListingRoom {
  readonly root: string;
  readonly fileSystem: FileSystem;
  readonly clock: { nowMs(): number };
  /** Called before directories may vanish. */
  readonly onTidied: () => void;
}

/**
 * Walks the store oldest day first, one directory in memory at a time, and yields what was created before `beforeMs`.
 * On its way it removes the empty directories of past days, and what copies left that were killed, which nothing else
 * would ever do.
 */
export async function* listBodies(room: ListingRoom, beforeMs: number): AsyncGenerator<BodyListing, void, void> {
  const lastDay = dayOf(Math.min(Math.max(beforeMs, 0), lastDayMs));
  const tidyBefore = dayOf(room.clock.nowMs() - tidyAfterMs);
  for (const day of await directoriesIn(room, room.root, isDay)) {
    if (day > lastDay) return;
    for (const fan of await directoriesIn(room, join(room.root, day), isFan)) {
      const entries = await read(room, join(room.root, day, fan));
      for (const entry of entries) {
        const place = entry.isDirectory ? undefined : placeOf(day, fan, entry.name);
        if (!entry.isDirectory && entry.name.startsWith(unfinishedStart)) {
          await removeLeftover(room, join(room.root, day, fan, entry.name));
        }
        if (place !== undefined && place.createdAtMs < beforeMs) {
          yield { ref: refOf(place), createdAtMs: place.createdAtMs };
        }
      }
      if (entries.length === 0 && day < tidyBefore) await tidy(room, join(room.root, day, fan));
    }
    if (day < tidyBefore) await tidy(room, join(room.root, day));
  }
}

async function directoriesIn(
  room: ListingRoom,
  path: string,
  fits: (name: string) => boolean,
): Promise<readonly string[]> {
  const entries = await read(room, path);
  return entries.flatMap((entry) => (entry.isDirectory && fits(entry.name) ? [entry.name] : [])).sort();
}

async function read(room: ListingRoom, path: string): Promise<readonly DirectoryEntry[]> {
  try {
    return await room.fileSystem.readDirectory(path);
  } catch (error) {
    // Another walk may have tidied it away.
    if (errorCode(error) === 'ENOENT') return [];
    throw diskFault('listing bodies', error);
  }
}

/** Part of a body that a copy was killed over: what was not written to for days is nobody's. */
async function removeLeftover(room: ListingRoom, path: string): Promise<void> {
  try {
    const ageMs = room.clock.nowMs() - (await room.fileSystem.modifiedAtMs(path));
    if (ageMs > tidyAfterMs) await room.fileSystem.unlink(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw diskFault('tidying folders', error);
  }
}

async function tidy(room: ListingRoom, path: string): Promise<void> {
  room.onTidied();
  await room.fileSystem.removeDirectory(path).catch((error) => {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(errorCode(error))) throw diskFault('tidying folders', error);
  });
}
