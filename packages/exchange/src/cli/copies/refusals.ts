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
      throw new CommandRefusal(exitCodes.unavailable, `${error.message}; what was copied counts, so try again`);
    }
    throw error;
  }
}
