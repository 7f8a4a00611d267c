import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * SQLite flushes the ledger's name into its folder; the folder's own name is flushed here, or a power cut would take
 * the ledger with it. Also when the folder was there already: whoever made it may have died before flushing.
 */
export function makeFolderDurable(folder: string): void {
  const firstMade = mkdirSync(folder, { recursive: true, mode: 0o700 }) ?? folder;
  for (let at = folder; at !== dirname(at); at = dirname(at)) {
    const parent = openSync(dirname(at), 'r');
    try {
      fsyncSync(parent);
    } finally {
      closeSync(parent);
    }
    if (at === firstMade) return;
  }
}
