import { createHook } from 'node:async_hooks';
import { readdirSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach } from 'vitest';
import { foldersLeft } from './temporary-folder.ts';

/** What is open: sockets, servers, children, watchers and files by kind, timers one by one. */
export interface OpenThings {
  readonly counts: ReadonlyMap<string, number>;
  readonly timers: ReadonlySet<number>;
}

// Closing a socket takes a few turns of the event loop, ending a TLS connection or a child a few milliseconds, and more on
// a busy machine.
const turnsMax = 50;
const pausesMaxByDefault = 500;
const pauseMs = 20;

// The test runner starts and ends timers of its own at any time, so that counting them proves nothing: each is followed.
const timers = new Map<number, WeakRef<NodeJS.Timeout>>();
const timerHook = createHook({
  init(id, type, _trigger, resource) {
    if (type === 'Timeout') timers.set(id, new WeakRef(resource as NodeJS.Timeout));
  },
  destroy(id) {
    timers.delete(id);
  },
});

/** Looks at what is open now. Timers and handles that do not keep the process alive do not count. */
export function openThings(): OpenThings {
  timerHook.enable();
  const counts = new Map<string, number>();
  const count = (kind: string): void => void counts.set(kind, (counts.get(kind) ?? 0) + 1);
  for (const kind of process.getActiveResourcesInfo()) if (kind !== 'Timeout') count(kind);
  for (const file of openFiles()) count(`open file ${file}`);
  for (const folder of foldersLeft()) count(`temporary folder ${folder}`);
  const running = [...timers].filter(([, timer]) => timer.deref()?.hasRef() === true);
  return { counts, timers: new Set(running.map(([id]) => id)) };
}

/** Waits, within a limit, until no more is open than before; answers what still is, one line a kind, or an empty list. */
export async function findLeaks(before: OpenThings, pausesMax = pausesMaxByDefault): Promise<string[]> {
  let leaks = compare(before);
  for (let turns = 0; leaks.length > 0 && turns < turnsMax; turns++) {
    await turn();
    leaks = compare(before);
  }
  for (let pauses = 0; leaks.length > 0 && pauses < pausesMax; pauses++) {
    await pause(pauseMs);
    // The pause is a timer too, and counts as running until the event loop turned.
    await turn();
    leaks = compare(before);
  }
  return leaks;
}

/**
 * Makes every test of the calling file fail that leaves something open. Call it once, at the top of the file, before
 * other hooks: the last hook to run is the first registered, so the test's own cleaning up has been done by then.
 */
export function guardLeaks(): void {
  let before: OpenThings = { counts: new Map(), timers: new Set() };
  beforeEach(() => {
    before = openThings();
  });
  afterEach(async () => {
    const leaks = await findLeaks(before);
    if (leaks.length > 0) throw new Error(`The test left open:\n  ${leaks.join('\n  ')}`);
  });
}

function compare(before: OpenThings): string[] {
  const now = openThings();
  const timersMore = [...now.timers].filter((id) => !before.timers.has(id)).length;
  return [...now.counts, ['Timeout', timersMore] as const]
    .map(([kind, open]) => ({ kind, more: open - (before.counts.get(kind) ?? 0) }))
    .filter(({ more }) => more > 0)
    .map(({ kind, more }) => `${more} × ${kind}`);
}

/** Files of the temporary folder this process holds open; only Linux can tell. */
function openFiles(): string[] {
  if (process.platform !== 'linux') return [];
  const files: string[] = [];
  for (const descriptor of readdirSync('/proc/self/fd')) {
    try {
      const file = readlinkSync(`/proc/self/fd/${descriptor}`);
      if (file.startsWith(tmpdir())) files.push(file);
    } catch {
      // The descriptor of the listing itself is gone by now.
    }
  }
  return files;
}
