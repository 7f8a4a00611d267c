import { type ReadProgress, verifyBackup } from '../../backup/read-backup.ts';
import { exitCodes } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { instantText, plain, printJson } from '../print.ts';
import { chooseBackup, identityFrom, openPlace, readingOptions, s3AccessOf } from './places.ts';
import { mebibytes, sayProgress } from './progress.ts';
import { refusingCopies } from './refusals.ts';

/** `verify`: whether a backup can be restored, by reading all of it. */
export const verifyCommand = defineCommand({
  path: 'verify',
  summary: 'read a whole backup back and say what of it is damaged or missing',
  about: [
    'Opens every piece of a backup in PLACE and compares lengths and digests. Nothing is written. Run it where the private',
    'key is, which is not the server; a backup that was never verified is a hope.',
  ].join('\n'),
  positionals: ['PLACE'],
  options: readingOptions,
  exits: {
    failed: 'something is damaged or missing, or there is no such backup',
    badInput: 'no place, no private key, or no moment',
    unavailable: 'the place cannot be reached',
    config: 'the settings of S3 are not good',
  },
  async run({ positionals: [place = ''], options, json }, io) {
    const identity = identityFrom(options.identity);
    const outcome = await refusingCopies(async () => {
      const blobs = await openPlace(place, s3AccessOf(io), options);
      try {
        const id = await chooseBackup(blobs, options.snapshot, options.at);
        return await verifyBackup(
          { blobs, identity },
          id,
          sayProgress(io, ({ done, bytes }: ReadProgress) => `read ${done} pieces, ${mebibytes(bytes)}`),
        );
      } finally {
        blobs.close();
      }
    });
    const { snapshot, madeAtMs, segments, bodies, bytes, findings, findingsCount } = outcome;
    if (json) {
      printJson(io, outcome);
    } else {
      const made = `backup ${snapshot}, made ${instantText(madeAtMs)}`;
      const read = `${bodies} bodies and ${segments} pieces of the ledger, ${mebibytes(bytes)}`;
      io.stdout(`${made}: ${read}; ${findingsCount === 0 ? 'all as they were copied' : `${findingsCount} not good`}\n`);
      for (const { what, problem } of findings) io.stdout(`${plain(what)}: ${problem}\n`);
      if (findingsCount > findings.length) io.stdout(`and ${findingsCount - findings.length} more\n`);
    }
    return findingsCount === 0 ? exitCodes.ok : exitCodes.failed;
  },
});
