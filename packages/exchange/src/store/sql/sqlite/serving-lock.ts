import { closeSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LedgerFault } from '../../ledger.ts';
import { LedgerServed } from '../../ledger-problem.ts';
import { classifyEngineError } from './batch.ts';
import { makeFolderDurable, withRoom } from './durable-folder.ts';

/** One that was told to stop, or killed a moment ago, is waited for, ms. */
const endingMsMax = 3000;

/**
 * Holds a ledger for this process to serve; commands may work on it as ever. The lock is the operating system's, taken
 * through an empty file beside the ledger, and ends with the process however that ends. Throws `LedgerServed`, and
 * `LedgerFault` when there is no room for the file.
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
    if (/locked|busy/i.test((error as Error).message)) throw new LedgerServed(error);
    if (classifyEngineError(error) !== 'full') throw error;
    throw new LedgerFault('full', 'the disk of the ledger is full', error);
  }
  return { [Symbol.dispose]: () => void (lock.isOpen && lock.close()) };
}

/** One that is there is not opened: whoever closes a file loses every lock that the process has on it. */
function makeIfMissing(place: string): void {
  try {
    closeSync(withRoom(() => openSync(place, 'ax', 0o600)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
