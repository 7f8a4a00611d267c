import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type FileSeen, seeFile } from '../folders/file-print.ts';
import { baseKey, splitName } from '../folders/names.ts';
import type { Sighting } from '../journal/journal.ts';

/** Both files of a pair, or a control file without data. */
export interface PairSeen {
  readonly base: string;
  readonly controlName: string;
  readonly control: FileSeen;
  readonly dataName: string | undefined;
  readonly data: FileSeen | undefined;
  /** How long it has been seen unchanged, milliseconds. */
  readonly unchangedMs: number;
}

export interface OutLook {
  /** Old enough and unchanged, in the order of their control files' time. */
  readonly ready: readonly PairSeen[];
  /** Control files that are old enough and have no data (yet). */
  readonly withoutData: readonly PairSeen[];
  /** Keys of the base names whose control file is there, ready or not. */
  readonly listed: ReadonlySet<string>;
  /** Files that are still changing, or too young. */
  readonly settling: number;
  /** Data files without a control file, and how long they have been seen so. */
  readonly loneData: readonly WithoutControl[];
  /** Names of files that cannot be opened by them: links, folders, and names that are no UTF-8. They are left alone. */
  readonly unusable: readonly WithoutControl[];
}

export interface WithoutControl {
  readonly base: string;
  readonly name: string;
  readonly seenForMs: number;
}

interface Names {
  readonly base: string;
  control?: string;
  data?: string;
}

const looksApartMs = 1000;
const statsAtOnce = 32;

/** The folder OUT, looked at again and again; what changes between two looks is not ready. */
export class OutFolder {
  readonly #path: string;
  readonly #delayMs: number;
  /** By the key of a base name. */
  readonly #noted: Map<string, Sighting>;

  /** `noted` by an earlier process, by the key of a base name. */
  constructor(path: string, delayMs: number, noted: ReadonlyMap<string, Sighting> = new Map()) {
    this.#path = path;
    this.#delayMs = delayMs;
    this.#noted = new Map(noted);
  }

  /** What was noted of these base names at the last look. */
  notedOf(bases: Iterable<string>): ReadonlyMap<string, Sighting> {
    const found = new Map<string, Sighting>();
    for (const base of bases) {
      const noted = this.#noted.get(baseKey(base));
      if (noted !== undefined) found.set(baseKey(base), noted);
    }
    return found;
  }

  /** How many pairs lie there, without looking at them. */
  async count(): Promise<number> {
    return group(await readdir(this.#path)).filter(({ control }) => control !== undefined).length;
  }

  async look(nowMs: number): Promise<OutLook> {
    const names = group(await readdir(this.#path));
    const seen = await this.#seeAll(names);
    const pairs: PairSeen[] = [];
    const loneData: WithoutControl[] = [];
    const unusable: WithoutControl[] = [];
    let settling = 0;
    const present = new Set<string>();
    const listed = new Set<string>();
    for (const { names: files, control, data } of seen) {
      const key = baseKey(files.base);
      present.add(key);
      const unchangedMs = this.#note(key, `${control?.print ?? '-'} ${data?.print ?? '-'}`, nowMs);
      if (control === undefined || files.control === undefined) {
        const hidden = files.control ?? (data === undefined ? files.data : undefined);
        if (hidden !== undefined) unusable.push({ base: files.base, name: hidden, seenForMs: unchangedMs });
        else if (data !== undefined && files.data !== undefined)
          loneData.push({ base: files.base, name: files.data, seenForMs: unchangedMs });
        continue;
      }
      listed.add(key);
      const pair: PairSeen = {
        base: files.base,
        controlName: files.control,
        control,
        dataName: data === undefined ? undefined : files.data,
        data,
        unchangedMs,
      };
      if (this.#isSettled(pair, nowMs)) pairs.push(pair);
      else settling += 1;
    }
    for (const key of this.#noted.keys()) if (!present.has(key)) this.#noted.delete(key);
    pairs.sort((one, other) => one.control.modifiedMs - other.control.modifiedMs || compare(one.base, other.base));
    return {
      ready: pairs.filter(({ data }) => data !== undefined),
      withoutData: pairs.filter(({ data }) => data === undefined),
      listed,
      settling,
      loneData,
      unusable,
    };
  }

  async #seeAll(names: readonly Names[]) {
    const seen: { names: Names; control: FileSeen | undefined; data: FileSeen | undefined }[] = [];
    for (let from = 0; from < names.length; from += statsAtOnce) {
      const some = names.slice(from, from + statsAtOnce).map(async (files) => ({
        names: files,
        control: files.control === undefined ? undefined : await seeFile(join(this.#path, files.control)),
        data: files.data === undefined ? undefined : await seeFile(join(this.#path, files.data)),
      }));
      seen.push(...(await Promise.all(some)));
    }
    return seen;
  }

  /** Milliseconds since these files are as they are, by our own clock: a share's clock may be wrong. */
  #note(key: string, print: string, nowMs: number): number {
    const before = this.#noted.get(key);
    // A clock that was set back would make every pair wait until it has caught up.
    if (before?.print === print && nowMs >= before.sinceMs) return nowMs - before.sinceMs;
    this.#noted.set(key, { print, sinceMs: nowMs });
    return 0;
  }

  /** Old by the files' own time and seen twice, or seen unchanged for the whole delay whatever their time says. */
  #isSettled({ control, data, unchangedMs }: PairSeen, nowMs: number): boolean {
    if (unchangedMs >= this.#delayMs) return true;
    const changedMs = Math.max(control.modifiedMs, data?.modifiedMs ?? 0);
    return nowMs - changedMs >= this.#delayMs && unchangedMs >= Math.min(this.#delayMs, looksApartMs);
  }
}

/** Files by their base name. Of two that differ in the case of their extension the first by name counts. */
function group(listed: readonly string[]): readonly Names[] {
  const found = new Map<string, Names>();
  for (const name of [...listed].sort()) {
    const split = splitName(name);
    if (split === undefined) continue;
    const key = baseKey(split.base);
    const names = found.get(key) ?? { base: split.base };
    names[split.role] ??= name;
    found.set(key, names);
  }
  return [...found.values()];
}

function compare(one: string, other: string): number {
  return one < other ? -1 : 1;
}
