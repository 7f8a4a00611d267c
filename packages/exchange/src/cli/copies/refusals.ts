import { ManifestFault } from '../../backup/manifest.ts';
import { PlaceInUse } from '../../backup/place-marks.ts';
import { UnsealFault } from '../../backup/sealed-blob.ts';
import { BodyFault } from '../../store/bodies.ts';
import { LedgerCopyProblem } from '../../store/ledger-snapshot.ts';
import { exitCodes } from '../command.ts';
import { CommandRefusal } from '../define-command.ts';

/** Runs work on copies; what can go wrong with them becomes a sentence and an exit code. */
export async function refusingCopies<R>(work: () => Promise<R>): Promise<R> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LedgerCopyProblem) throw new CommandRefusal(exitCodes.failed, error.message);
    if (error instanceof PlaceInUse) throw new CommandRefusal(exitCodes.unavailable, error.message);
    if (error instanceof UnsealFault || error instanceof ManifestFault) {
      throw new CommandRefusal(exitCodes.failed, `the backup cannot be read: ${error.message}`);
    }
    if (error instanceof BodyFault && error.kind === 'missing') {
      throw new CommandRefusal(exitCodes.failed, 'a part of the backup is not there; "verify" says which');
    }
    if (error instanceof BodyFault) {
      throw new CommandRefusal(
        exitCodes.unavailable,
        `${error.message}${reasonOf(error)}; what was copied counts, so try again`,
      );
    }
    throw error;
  }
}

/** What the system says of a file: it is the operator's to mend, and nothing else names the folder. */
function reasonOf({ cause }: BodyFault): string {
  const { code, path, syscall } = (cause ?? {}) as NodeJS.ErrnoException;
  if (syscall === undefined || code === undefined || code === 'ENOSPC') return '';
  const where = path === undefined ? '' : ` at ${path}`;
  return ` (${code}${where}): look at the folder, its rights and its disk`;
}
