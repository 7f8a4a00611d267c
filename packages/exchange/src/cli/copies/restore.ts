import type { ReadProgress } from '../../backup/read-backup.ts';
import { restoreBackup } from '../../backup/restore-backup.ts';
import { holdForRestoring, openBodyBlobs, restoreLedger } from '../../compose/copies.ts';
import { exitCodes } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { goodConfig } from '../good-config.ts';
import { instantText, printJson } from '../print.ts';
import { chooseBackup, identityFrom, openPlace, readingOptions } from './places.ts';
import { mebibytes, sayProgress } from './progress.ts';
import { refusingCopies } from './refusals.ts';

/** `restore`: a ledger and bodies of a backup, where none are. */
export const restoreCommand = defineCommand({
  path: 'restore',
  summary: 'make ledger and bodies of a backup',
  about: [
    'Writes the bodies and then the ledger of a backup in PLACE to where OPENMESH_LEDGER and OPENMESH_BODIES say, where no',
    'ledger may be yet. Cut off, it is run again and leaves out what is there byte for byte. Give it the secret key of the exchange that',
    'was backed up (OPENMESH_SECRET_KEY_FILE): it is in no backup. Nothing accepted after the backup is in it, and tokens',
    'that were used after it and are younger than two hours would be good once more.',
  ].join('\n'),
  positionals: ['PLACE'],
  options: readingOptions,
  exits: {
    failed: 'there is a ledger already, or the backup is damaged or not there; bodies may have been written',
    badInput: 'no place, no private key, or no moment',
    unavailable: 'a store cannot be reached',
    config: 'the settings are not good',
  },
  async run({ positionals: [place = ''], options, json }, io) {
    const { config } = goodConfig(io.env);
    const identity = identityFrom(options.identity);
    const outcome = await refusingCopies(async () => {
      using _held = await holdForRestoring(config);
      const blobs = await openPlace(place, config.s3, options);
      const bodies = await openBodyBlobs(config);
      try {
        const id = await chooseBackup(blobs, options.snapshot, options.at);
        const progress = sayProgress(
          io,
          ({ done, bytes }: ReadProgress) => `restored ${done} pieces, ${mebibytes(bytes)}`,
        );
        const source = { blobs, identity };
        return await restoreBackup(
          { source, bodies, restoreLedger: (engine, pieces) => restoreLedger(config, engine, pieces), progress },
          id,
        );
      } finally {
        bodies.close();
        blobs.close();
      }
    });
    const { snapshot, madeAtMs, bodies, bodiesThere, bytes, absent } = outcome;
    if (json) {
      printJson(io, outcome);
    } else {
      io.stdout(
        `restored ${snapshot}, made ${instantText(madeAtMs)}: the ledger and ${bodies} bodies, ` +
          `${bodiesThere} of which were there (${mebibytes(bytes)})\n`,
      );
      if (absent > 0) io.stderr(`${absent} bodies were not in the backup: their messages cannot be downloaded\n`);
    }
    return exitCodes.ok;
  },
});
