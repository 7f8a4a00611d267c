import type { RegistryCursor, RegistryLedger, RegistryPage } from '../store/ledger/registry.ts';
import {
  emptyTables,
  RegistryDraft,
  type RegistrySnapshot,
  type RegistryTables,
  type Unseal,
  viewSnapshot,
} from './snapshot.ts';

/** Readings of all pages that may be overtaken by large changes before everything is read at once. */
const pagedReadingsMax = 5;

/** Holder of the current snapshot. Every method that reads the ledger rejects with its `LedgerFault`. */
export interface Registry {
  /** Throws when nothing was loaded yet: await `reload` once before serving. */
  current(): RegistrySnapshot;
  /**
   * Loads what the ledger holds at the time of the call or later. Calls made while a load runs share the one that
   * follows it, so that however many ask there are never more than two loads ahead. A load that finds an older version
   * than the current one (a lagging replica) changes nothing.
   */
  reload(): Promise<RegistrySnapshot>;
  /** Reloads when `version` is newer than the current snapshot: the answer to a `stale` of the ledger. */
  reloadIfNewer(version: number): Promise<RegistrySnapshot>;
  /**
   * Asks the ledger for its version and reloads when it is newer; resolves to whether it was. What was committed before
   * the call is seen: calls made while another runs share the one that follows it. Called by a timer that the caller owns.
   */
  poll(): Promise<boolean>;
}

export interface RegistryOptions {
  readonly ledger: RegistryLedger;
  readonly unseal: Unseal;
  /** Called after the current snapshot was replaced, e.g. to cut connections of revoked certificates. Must not throw. */
  readonly onReload?: (snapshot: RegistrySnapshot) => void;
}

/** At a start, when nobody waits yet. */
async function loadWhole(ledger: RegistryLedger): Promise<RegistryTables> {
  const records = await ledger.load();
  return new RegistryDraft(emptyTables).put(records).done(records.version);
}

/**
 * What the registry is now, made of what it was: of what has changed, or, where that is too much, of pages between which
 * the requests of a busy exchange take their turn. Undefined when it has not moved.
 */
async function loadSince(ledger: RegistryLedger, tables: RegistryTables): Promise<RegistryTables | undefined> {
  const delta = await ledger.changesSince(tables.version);
  if (delta !== null) {
    return delta.version <= tables.version ? undefined : new RegistryDraft(tables).put(delta).done(delta.version);
  }
  for (let reading = 0; reading < pagedReadingsMax; reading += 1) {
    const paged = await loadPages(ledger);
    if (paged !== undefined) return paged;
  }
  return loadWhole(ledger);
}

/** What changed while the pages were read is put on top; undefined when that is too much again. */
async function loadPages(ledger: RegistryLedger): Promise<RegistryTables | undefined> {
  const version = await ledger.version();
  const draft = new RegistryDraft(emptyTables);
  let at: RegistryCursor | null = { table: 'mailboxes', after: null };
  while (at !== null) {
    const { rows, next }: RegistryPage = await ledger.page(at);
    draft.put(rows);
    at = next;
  }
  const delta = await ledger.changesSince(version);
  return delta === null ? undefined : draft.put(delta).done(delta.version);
}

/** Makes a registry that has loaded nothing yet. */
export function createRegistry({ ledger, unseal, onReload }: RegistryOptions): Registry {
  let tables: RegistryTables | undefined;
  let snapshot: RegistrySnapshot | undefined;
  let running: Promise<RegistrySnapshot> | undefined;
  let queued: Promise<RegistrySnapshot> | undefined;
  let polling: Promise<boolean> | undefined;
  let nextPoll: Promise<boolean> | undefined;

  async function load(): Promise<RegistrySnapshot> {
    const newer = tables === undefined ? await loadWhole(ledger) : await loadSince(ledger, tables);
    if (snapshot !== undefined && (newer === undefined || newer.version <= snapshot.version)) return snapshot;
    tables = newer ?? emptyTables;
    snapshot = viewSnapshot(tables, unseal);
    onReload?.(snapshot);
    return snapshot;
  }

  function start(): Promise<RegistrySnapshot> {
    const started = load().finally(() => {
      if (running === started) running = undefined;
    });
    running = started;
    return started;
  }

  /** A running load may have read before the caller's change: only the next one is sure to see it. */
  async function startAfter(earlier: Promise<RegistrySnapshot>): Promise<RegistrySnapshot> {
    await Promise.allSettled([earlier]);
    queued = undefined;
    return start();
  }

  function reload(): Promise<RegistrySnapshot> {
    if (queued !== undefined) return queued;
    if (running === undefined) return start();
    queued = startAfter(running);
    return queued;
  }

  async function ask(): Promise<boolean> {
    const version = await ledger.version();
    if (snapshot !== undefined && version <= snapshot.version) return false;
    await reload();
    return true;
  }

  function startPoll(): Promise<boolean> {
    polling ??= ask().finally(() => {
      polling = undefined;
    });
    return polling;
  }

  /** A running one may have asked before the caller's change: only the next is sure to see it. */
  async function pollAfter(earlier: Promise<boolean>): Promise<boolean> {
    await Promise.allSettled([earlier]);
    nextPoll = undefined;
    return startPoll();
  }

  return {
    current() {
      if (snapshot === undefined) throw new Error('the registry was asked before its first load');
      return snapshot;
    },
    reload,
    async reloadIfNewer(version) {
      return snapshot !== undefined && version <= snapshot.version ? snapshot : reload();
    },
    poll() {
      if (polling === undefined) return startPoll();
      nextPoll ??= pollAfter(polling);
      return nextPoll;
    },
  };
}
