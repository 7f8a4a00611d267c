import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { LedgerFault } from '../../ledger.ts';

/**
 * SQLite flushes the ledger's name into its folder; the folder's own name is flushed here, or a power cut would take
 * the ledger with it. Also when the folder was there already: whoever made it may have died before flushing. Throws
 * `LedgerFault` when there is no room for it.
 */
export function makeFolderDurable(folder: string): void {
  const firstMade = withRoom(() => mkdirSync(folder, { recursive: true, mode: 0o700 })) ?? folder;
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

/** Does what takes room on the disk of the ledger. Throws `LedgerFault` when there is none, or none left to this user. */
export function withRoom<R>(make: () => R): R {
  try {
    return make();
  } catch (error) {
    if (!['ENOSPC', 'EDQUOT'].includes(String((error as NodeJS.ErrnoException).code))) throw error;
    throw new LedgerFault('full', 'the disk of the ledger is full', error);
  }
}
