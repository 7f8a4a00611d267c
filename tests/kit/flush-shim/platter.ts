import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../seeded-random.ts';
import { FileSurface, type Keep } from './file-surface.ts';
import type { FlushTarget, JournalRecord } from './journal.ts';

type Entry = FileSurface | Folder;

interface Assignment {
  readonly folder: Folder;
  readonly name: string;
  readonly entry: Entry | undefined;
}

/** A change of names that is on the platter whole or not at all. `serial` orders the changes of one name. */
interface NameChange {
  readonly serial: number;
  readonly assignments: readonly Assignment[];
}

interface Named {
  readonly serial: number;
  readonly entry: Entry | undefined;
}

class Folder {
  readonly live = new Map<string, Entry>();
  readonly flushed = new Map<string, Named>();
  pending: NameChange[] = [];
}

/** Which unflushed changes a cut leaves behind. */
export type Cut =
  | { readonly kind: 'flushed-only' }
  /** As if only the process had been killed. */
  | { readonly kind: 'everything' }
  | { readonly kind: 'some'; readonly random: Random; readonly sectorBytes: 512 | 4096; readonly chance: number };

/** How much was at stake when the cut came: a test that cut nothing proved nothing. */
export interface CutAccount {
  readonly unflushedChanges: number;
  readonly unflushedNames: number;
}

interface RunningFlush {
  readonly token: bigint;
  readonly target: FileSurface | Folder;
  covered: number;
}

/**
 * A folder as a disk keeps it, driven by the shim's journal. Certain are only bytes whose file was flushed after they
 * were written, under names whose folder was flushed after they were given. Names of one folder reach the platter in
 * their order, as journalling file systems keep it; a rename across folders counts once the new folder is flushed.
 */
export class Platter {
  readonly #root = new Folder();
  readonly #objects = new Map<number, FileSurface>();
  #running: RunningFlush[] = [];
  #serial = 0;

  /** Takes everything below `folder` as flushed; without a folder, an empty platter. */
  static from(folder?: string): Platter {
    const platter = new Platter();
    if (folder !== undefined) load(platter.#root, folder);
    return platter;
  }

  /** Throws when the record cannot follow from what is known: some change went past the shim. */
  apply(record: JournalRecord): void {
    switch (record.kind) {
      case 'open':
        return this.#open(record);
      case 'write':
        return this.#file(record.object).write(record.offset, record.bytes);
      case 'truncate':
        return this.#file(record.object).truncate(record.length);
      case 'flush-begin':
        return this.#flushBegins(record.token, record.target);
      case 'flush-done':
        return this.#flushEnds(record.token, true);
      case 'flush-failed':
        return this.#flushEnds(record.token, false);
      case 'unlink':
      case 'rmdir':
        return this.#rename(this.#place(record.name), undefined);
      case 'rename':
        return this.#rename(this.#place(record.name), this.#place(record.other));
      case 'mkdir':
        return this.#assign(this.#place(record.name), new Folder());
      case 'link':
        return this.#assign(this.#place(record.other), this.#existing(record.name));
    }
  }

  /** Writes the folder found after a cut to `target`, which must be empty or absent. */
  writeImage(target: string, cut: Cut): CutAccount {
    const account = { unflushedChanges: 0, unflushedNames: 0 };
    writeFolder(this.#root, target, cut, account);
    return account;
  }

  #open(record: JournalRecord & { readonly kind: 'open' }): void {
    if (record.created) {
      const file = new FileSurface();
      this.#objects.set(record.object, file);
      this.#assign(this.#place(record.name), file);
      return;
    }
    const found = this.#existing(record.name);
    if (found instanceof Folder) throw new Error(`a folder was opened as a file: ${record.name}`);
    this.#objects.set(record.object, found);
    if (record.emptied) found.truncate(0);
  }

  #file(object: number): FileSurface {
    const file = this.#objects.get(object);
    if (file === undefined) throw new Error(`a change to a file that was never opened: ${object}`);
    return file;
  }

  #flushBegins(token: bigint, target: FlushTarget): void {
    if ('file' in target) {
      const file = this.#file(target.file);
      this.#running.push({ token, target: file, covered: file.waiting });
      return;
    }
    const folder = target.folder === '' ? this.#root : this.#existing(target.folder);
    if (!(folder instanceof Folder)) throw new Error(`a file was flushed as a folder: ${target.folder}`);
    this.#running.push({ token, target: folder, covered: folder.pending.length });
  }

  #flushEnds(token: bigint, succeeded: boolean): void {
    const flush = this.#running.find((each) => each.token === token);
    if (flush === undefined) throw new Error('a flush ended that never began');
    this.#running = this.#running.filter((each) => each !== flush);
    if (!succeeded) {
      if (flush.target instanceof FileSurface) flush.target.flushFailed(flush.covered);
      return;
    }
    if (flush.target instanceof FileSurface) flush.target.flushed(flush.covered);
    else for (const change of flush.target.pending.splice(0, flush.covered)) settle(change);
    // Two flushes of one target may overlap; what the first one settled no longer waits for the second.
    for (const other of this.#running) {
      if (other.target === flush.target) other.covered = Math.max(0, other.covered - flush.covered);
    }
  }

  #place(name: string): { readonly folder: Folder; readonly name: string } {
    const parts = name.split('/');
    const last = parts.pop() ?? '';
    let folder = this.#root;
    for (const part of parts) {
      const next = folder.live.get(part);
      if (!(next instanceof Folder)) throw new Error(`a name in a folder that does not exist: ${name}`);
      folder = next;
    }
    return { folder, name: last };
  }

  #existing(name: string): Entry {
    const place = this.#place(name);
    const entry = place.folder.live.get(place.name);
    if (entry === undefined) throw new Error(`the journal does not say where this came from: ${name}`);
    return entry;
  }

  #assign(place: { readonly folder: Folder; readonly name: string }, entry: Entry): void {
    place.folder.live.set(place.name, entry);
    this.#change(place.folder, [{ ...place, entry }]);
  }

  #rename(
    from: { readonly folder: Folder; readonly name: string },
    to: { readonly folder: Folder; readonly name: string } | undefined,
  ): void {
    const entry = from.folder.live.get(from.name);
    if (entry === undefined) throw new Error(`a name went that never came: ${from.name}`);
    from.folder.live.delete(from.name);
    const gone = { ...from, entry: undefined };
    if (to === undefined) return this.#change(from.folder, [gone]);
    to.folder.live.set(to.name, entry);
    this.#change(to.folder, [gone, { ...to, entry }]);
  }

  #change(folder: Folder, assignments: readonly Assignment[]): void {
    this.#serial += 1;
    folder.pending.push({ serial: this.#serial, assignments });
  }
}

function settle(change: NameChange): void {
  for (const { folder, name, entry } of change.assignments) {
    if (isNewer(folder.flushed.get(name), change)) folder.flushed.set(name, { serial: change.serial, entry });
  }
}

/** A rename out of a folder may be settled before older changes of that folder are. */
function isNewer(known: Named | undefined, change: NameChange): boolean {
  return known === undefined || known.serial < change.serial;
}

function load(folder: Folder, path: string): void {
  for (const each of readdirSync(path, { withFileTypes: true })) {
    const at = join(path, each.name);
    const entry = each.isDirectory() ? new Folder() : new FileSurface(readFileSync(at));
    if (entry instanceof Folder) load(entry, at);
    folder.live.set(each.name, entry);
    folder.flushed.set(each.name, { serial: 0, entry });
  }
}

function writeFolder(
  folder: Folder,
  target: string,
  cut: Cut,
  account: { unflushedChanges: number; unflushedNames: number },
): void {
  mkdirSync(target, { recursive: true });
  account.unflushedNames += folder.pending.length;
  for (const [name, entry] of namesAfterCut(folder, cut)) {
    const at = join(target, name);
    if (entry instanceof Folder) {
      writeFolder(entry, at, cut, account);
    } else {
      account.unflushedChanges += entry.waiting;
      writeFileSync(at, entry.afterCut(keepOf(cut)));
    }
  }
}

function keepOf(cut: Cut): Keep {
  switch (cut.kind) {
    case 'flushed-only':
      return { kind: 'none' };
    case 'everything':
      return { kind: 'all' };
    case 'some':
      return cut;
  }
}

function* namesAfterCut(folder: Folder, cut: Cut): Generator<[string, Entry]> {
  if (cut.kind === 'everything') return yield* folder.live;
  const names = new Map(folder.flushed);
  if (cut.kind === 'some') {
    const reached = Math.floor(cut.random() * (folder.pending.length + 1));
    for (const change of folder.pending.slice(0, reached)) {
      for (const { folder: where, name, entry } of change.assignments) {
        // The other half of a rename across folders is left as it was: the file may be found under both names.
        if (where === folder && isNewer(names.get(name), change)) names.set(name, { serial: change.serial, entry });
      }
    }
  }
  for (const [name, { entry }] of names) if (entry !== undefined) yield [name, entry];
}
