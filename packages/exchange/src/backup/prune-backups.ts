import type { Blobs } from '../store/blobs.ts';
import { inOrder } from './in-order.ts';
import { ManifestFault } from './manifest.ts';
import { allBodiesStart, bodyBlobName, isAhead, momentOf, segmentsStart, snapshotNameOf } from './names.ts';
import { markedIn, pruneMsMax, removeMarks } from './place-marks.ts';
import { type BackupSource, listBackups, openBackup } from './read-backup.ts';

/** Sizes asked for at a time. */
const lanes = 8;
const removedTogether = 500;
/** What was not written to for so long is left of a writer that was killed. */
const unfinishedMs = 86_400_000;

export interface PruneRule {
  /** The newest so many are kept. */
  readonly keepLast: number | undefined;
  /** Those made since are kept, milliseconds since 1970. */
  readonly keepSinceMs: number | undefined;
}

export interface PruneParts {
  readonly source: BackupSource;
  readonly rule: PruneRule;
  /** Only says what would be removed. */
  readonly dryRun: boolean;
  /** No backup is being made, whatever marks there are. */
  readonly alone: boolean;
  readonly nowMs: () => number;
  readonly progress: (so: PruneProgress) => void;
}

export interface PruneProgress {
  readonly removed: number;
  readonly removedBytes: number;
}

export interface PruneOutcome {
  readonly kept: readonly string[];
  readonly removed: readonly string[];
  /** Pieces of the ledger and bodies that no kept backup names. */
  readonly segmentsRemoved: number;
  readonly bodiesRemoved: number;
  /** As they lie, sealed, manifests included. */
  readonly removedBytes: number;
  /** False where the time was up first: run again, it goes on. */
  readonly whole: boolean;
}

/**
 * Parts the ids, oldest first, in those the rule keeps and the others. The newest is always kept. One that is dated ahead of
 * now is kept too, and takes no other's place: of what was made since the clock was right it would seem the newest for long.
 */
export function chooseKept(
  ids: readonly string[],
  { keepLast = 0, keepSinceMs = Number.POSITIVE_INFINITY }: PruneRule,
  nowMs: number,
): { readonly kept: readonly string[]; readonly removed: readonly string[] } {
  const dated = ids.filter((id) => !isAhead(id, nowMs)).length;
  const isKept = (id: string, at: number): boolean =>
    dated - at <= Math.max(1, keepLast) || (momentOf(id) ?? 0) >= keepSinceMs;
  return { kept: ids.filter(isKept), removed: ids.filter((id, at) => !isKept(id, at)) };
}

/**
 * Removes backups that the rule does not keep, and then every piece of a ledger and every body that none of the kept names.
 * First each kept manifest is read whole: where one cannot be, nothing is removed. Manifests go before what only they
 * name, so that whatever is cut off leaves no backup that is not whole, only bytes for the next run. Throws `PlaceInUse`,
 * `UnsealFault`, `ManifestFault`, `BodyFault`.
 */
export async function pruneBackups(parts: PruneParts): Promise<PruneOutcome> {
  const { source, dryRun, alone, nowMs } = parts;
  // Looking takes nothing away, so it needs no mark.
  if (dryRun) return prune(parts);
  const besides = alone ? (['pruning'] as const) : (['pruning', 'making'] as const);
  return markedIn(source.blobs, 'pruning', { nowMs, besides }, async () => {
    if (alone) await removeMarks(source.blobs, 'making');
    const outcome = await prune(parts);
    await source.blobs.removeUnfinished?.(nowMs() - unfinishedMs);
    return outcome;
  });
}

async function prune({ source, rule, dryRun, nowMs, progress }: PruneParts): Promise<PruneOutcome> {
  const { blobs } = source;
  const endMs = nowMs() + pruneMsMax;
  const { kept, removed } = chooseKept(await listBackups(blobs), rule, nowMs());
  const segments = await namedSegments(source, kept);
  const away = new Removal(blobs, dryRun, () => nowMs() < endMs, progress);
  await away.all(removed.map(snapshotNameOf));
  const segmentsRemoved = await away.all(unneeded(blobs.list(segmentsStart), segments));
  const bodies = merged(kept.map((id) => bodyNames(source, id)));
  const bodiesRemoved = await away.all(missingIn(blobs.list(allBodiesStart), bodies));
  return { kept, removed, segmentsRemoved, bodiesRemoved, removedBytes: away.removedBytes, whole: away.whole };
}

/** Names of the pieces that the backups need, each manifest read to its end: one mebibyte of a ledger a name. */
async function namedSegments(source: BackupSource, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const segments = new Set<string>();
  for (const id of ids) {
    const { entries } = await openBackup(source, id);
    let before = '';
    for await (const entry of entries) {
      if (entry.kind === 'segment') segments.add(entry.name);
      else if (entry.ref < before) throw new ManifestFault(`the bodies of backup ${id} are not in order`);
      else before = entry.ref;
    }
  }
  return segments;
}

async function* bodyNames(source: BackupSource, id: string): AsyncGenerator<string, void, void> {
  const { entries } = await openBackup(source, id);
  for await (const entry of entries) if (entry.kind === 'body') yield bodyBlobName(source.identity, entry.ref);
}

async function* unneeded(
  names: AsyncIterable<string>,
  needed: ReadonlySet<string>,
): AsyncGenerator<string, void, void> {
  for await (const name of names) if (!needed.has(name)) yield name;
}

/** The names that are not among the needed, both in order: each is walked once, whatever its length. */
async function* missingIn(
  names: AsyncIterable<string>,
  needed: AsyncGenerator<string, void, void>,
): AsyncGenerator<string, void, void> {
  try {
    let next = await needed.next();
    for await (const name of names) {
      while (next.done !== true && next.value < name) next = await needed.next();
      if (next.done === true || next.value !== name) yield name;
    }
  } finally {
    await needed.return();
  }
}

/** Many lists in order as one in order. */
async function* merged(lists: readonly AsyncGenerator<string, void, void>[]): AsyncGenerator<string, void, void> {
  try {
    const heads = await Promise.all(lists.map((list) => list.next()));
    for (;;) {
      let first: number | undefined;
      for (const [at, head] of heads.entries()) {
        const before = first === undefined ? undefined : heads[first]?.value;
        if (head.done !== true && (before === undefined || head.value < before)) first = at;
      }
      const [head, list] = first === undefined ? [] : [heads[first], lists[first]];
      if (first === undefined || head === undefined || head.done === true || list === undefined) return;
      yield head.value;
      heads[first] = await list.next();
    }
  } finally {
    for (const list of lists) await list.return();
  }
}

class Removal {
  removedBytes = 0;
  whole = true;
  #removed = 0;
  readonly #blobs: Blobs;
  readonly #dryRun: boolean;
  readonly #hasTime: () => boolean;
  readonly #progress: PruneParts['progress'];

  constructor(blobs: Blobs, dryRun: boolean, hasTime: () => boolean, progress: PruneParts['progress']) {
    this.#blobs = blobs;
    this.#dryRun = dryRun;
    this.#hasTime = hasTime;
    this.#progress = progress;
  }

  /** Removes them, some at a time, as far as there is time; resolves to how many. */
  async all(names: AsyncIterable<string> | Iterable<string>): Promise<number> {
    let count = 0;
    let some: string[] = [];
    const sized = inOrder(names, lanes, async (name) => ({ name, size: (await this.#blobs.size(name)) ?? 0 }));
    for await (const { name, size } of sized) {
      if (!this.#hasTime()) {
        this.whole = false;
        break;
      }
      some.push(name);
      this.removedBytes += size;
      count += 1;
      if (some.length < removedTogether) continue;
      await this.#remove(some);
      some = [];
    }
    await this.#remove(some);
    return count;
  }

  async #remove(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    if (!this.#dryRun) await this.#blobs.remove(names);
    this.#removed += names.length;
    this.#progress({ removed: this.#removed, removedBytes: this.removedBytes });
  }
}
