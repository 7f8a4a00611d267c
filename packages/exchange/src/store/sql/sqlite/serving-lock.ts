import { closeSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LedgerFault } from '../../ledger.ts';
import { LedgerServed } from '../../ledger-problem.ts';
import { makeFolderDurable } from './durable-folder.ts';

/** One that was told to stop, or killed a moment ago, is waited for, ms. */
const endingMsMax = 3000;

/**
 * Holds a ledger for this process to serve; commands may work on it as ever. The lock is the operating system's, taken
 * through an empty file beside the ledger, and ends with the process however that ends. Throws `LedgerServed`.
 */
export function holdForServing(path: string): Disposable {
  makeFolderDurable(dirname(path));
  const place = `${path}-serving`;
  makeIfMissing(place);
  const lock = new DatabaseSync(place);
  try {
    lock.exec(`pragma busy_timeout = ${endingMsMax}; pragma locking_mode = exclusive; begin exclusive`);
  } catch (error) {
    lock.close();
    throw /locked|busy/i.test((error as Error).message) ? new LedgerServed(error) : error;
  }
  return { [Symbol.dispose]: () => lock.close() };
}

/** One that is there is not opened: whoever closes a file loses every lock that the process has on it. */
function makeIfMissing(place: string): void {
  try {
    closeSync(openSync(place, 'ax', 0o600));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code === 'ENOSPC') throw new LedgerFault('full', 'the disk of the ledger is full');
    throw error;
  }
}
