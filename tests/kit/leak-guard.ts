import { readdirSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach } from 'vitest';
import { foldersLeft } from './temporary-folder.ts';

/** How many of each kind of thing are open: sockets, servers, timers, children, watchers, files in the temporary folder. */
export type OpenThings = ReadonlyMap<string, number>;

// Closing a socket takes a few turns of the event loop, ending a TLS connection or a child a few milliseconds.
const turnsMax = 50;
const pausesMax = 100;
const pauseMs = 20;

/** Counts what is open now. Timers and handles that do not keep the process alive are not counted. */
export function openThings(): OpenThings {
  const counts = new Map<string, number>();
  const count = (kind: string): void => void counts.set(kind, (counts.get(kind) ?? 0) + 1);
  for (const kind of process.getActiveResourcesInfo()) count(kind);
  for (const file of openFiles()) count(`open file ${file}`);
  for (const folder of foldersLeft()) count(`temporary folder ${folder}`);
  return counts;
}

/** Waits, within a limit, until no more is open than before; answers what still is, one line a kind, or an empty list. */
export async function findLeaks(before: OpenThings): Promise<string[]> {
  let leaks = compare(before);
  for (let turns = 0; leaks.length > 0 && turns < turnsMax; turns++) {
    await turn();
    leaks = compare(before);
  }
  for (let pauses = 0; leaks.length > 0 && pauses < pausesMax; pauses++) {
    // The pause itself is a timer that has fired by the time we look.
    await pause(pauseMs);
    leaks = compare(before);
  }
  return leaks;
}

/**
 * Makes every test of the calling file fail that leaves something open. Call it once, at the top of the file, before
 * other hooks: the last hook to run is the first registered, so the test's own cleaning up has been done by then.
 */
export function guardLeaks(): void {
  let before: OpenThings = new Map();
  beforeEach(() => {
    before = openThings();
  });
  afterEach(async () => {
    const leaks = await findLeaks(before);
    if (leaks.length > 0) throw new Error(`The test left open:\n  ${leaks.join('\n  ')}`);
  });
}

function compare(before: OpenThings): string[] {
  return [...openThings()]
    .map(([kind, now]) => ({ kind, more: now - (before.get(kind) ?? 0) }))
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
