import { randomBytes } from 'node:crypto';
import type { Blobs } from '../store/blobs.ts';
import { momentOf, newMoment } from './names.ts';

/** What is done in a place of backups. Making adds to what is there; pruning takes away what nothing kept needs. */
export type PlaceWork = 'making' | 'pruning';

/** A prune ends itself after half of it, so that one that died keeps nobody out for longer. */
const pruningMsMax = 24 * 3_600_000;
export const pruneMsMax = pruningMsMax / 2;

/** Something else is done in the place that this may not go beside. */
export class PlaceInUse extends Error {
  readonly work: PlaceWork;
  constructor(work: PlaceWork, sinceMs: number) {
    const since = new Date(sinceMs).toISOString();
    super(
      work === 'making'
        ? `a backup is being made here since ${since}, or one was cut off: when none is being made, give --alone`
        : `old backups are being removed here since ${since}: try again when that has ended`,
    );
    this.name = 'PlaceInUse';
    this.work = work;
  }
}

/**
 * Does work in a place with a mark in it, an empty blob under the work's name. Whoever comes writes its own mark first and
 * looks for the others' after that: of two that may not be done beside each other at least one sees the other, for a name
 * that was written is listed. Throws `PlaceInUse` before anything else is done.
 */
export async function markedIn<R>(
  blobs: Pick<Blobs, 'write' | 'list' | 'remove'>,
  work: PlaceWork,
  options: { readonly nowMs: () => number; readonly besides: readonly PlaceWork[] },
  act: () => Promise<R>,
): Promise<R> {
  const mark = `${work}/${newMoment(options.nowMs(), randomBytes(4).toString('hex'))}`;
  await blobs.write(mark, []);
  try {
    for (const other of options.besides) {
      for await (const name of blobs.list(`${other}/`)) {
        const sinceMs = momentOf(name.slice(other.length + 1));
        if (name === mark || sinceMs === undefined) continue;
        const isOver = other === 'pruning' && options.nowMs() - sinceMs > pruningMsMax;
        if (!isOver) throw new PlaceInUse(other, sinceMs);
      }
    }
    return await act();
  } finally {
    await blobs.remove([mark]);
  }
}

/** Takes away marks of work that was cut off; for whoever knows that none of it is under way. */
export async function removeMarks(blobs: Pick<Blobs, 'list' | 'remove'>, work: PlaceWork): Promise<void> {
  const marks: string[] = [];
  for await (const name of blobs.list(`${work}/`)) marks.push(name);
  await blobs.remove(marks);
}
