import { one, run, type Talk } from '../question.ts';
import * as q from '../questions/filing.ts';

/** As many new messages are looked at one by one at most, but for those of the batch that reaches it. */
const unfiledMax = 1024;
/** Messages filed together: a few milliseconds of work, and several for each page of an index in use. */
const filedTogether = 512;

/**
 * Files the oldest of the new messages when there are many. For an engine whose writer commits one batch after the
 * other: it runs at the end of one, and may be left out of any.
 */
export function* fileMessages(): Talk<void> {
  const filing = yield* one(q.readFiling);
  if (filing === undefined || filing.last === null || filing.last - filing.filed < unfiledMax) return;
  const upTo = filing.filed + filedTogether;
  yield* run(q.fileMessages, filing.filed, upTo);
  yield* run(q.moveFiling, upTo);
}
