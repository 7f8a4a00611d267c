import { type PruneProgress, pruneBackups } from '../../backup/prune-backups.ts';
import { type CommandIo, exitCodes } from '../command.ts';
import { CommandRefusal, defineCommand } from '../define-command.ts';
import { printJson } from '../print.ts';
import { readCount } from '../read-options.ts';
import { identityFrom, openPlace, placeOptions, s3AccessOf } from './places.ts';
import { mebibytes, sayProgress } from './progress.ts';
import { refusingCopies } from './refusals.ts';

const dayMs = 86_400_000;
const keepMax = 100_000;

/** `backup prune`: removes old backups and what only they need. */
export const backupPrune = defineCommand({
  path: 'backup prune',
  summary: 'remove old backups, and the bytes that no kept one needs',
  about: [
    'Keeps the backups of PLACE, file:DIRECTORY or s3://BUCKET/PREFIX, that one of the two rules keeps, and always the newest.',
    'Removes the others, and every piece of a ledger and every body that none of the kept names. The manifests of the kept',
    'are read first, so the private key is needed; where one cannot be read, nothing is removed. No backup is made meanwhile:',
    'one that begins is refused, and one that is under way refuses this. Cut off, it is run again and goes on. Parts of copies',
    'that were killed while they were written go too, a day after they were last written to.',
  ].join('\n'),
  positionals: ['PLACE'],
  options: {
    identity: { value: 'FILE', says: 'the private key of "backup keygen" (needed)' },
    'keep-last': { value: 'N', says: 'keep the newest N' },
    'keep-days': { value: 'DAYS', says: 'keep those made in the last DAYS days' },
    'dry-run': { says: 'only say what would be removed' },
    alone: { says: 'no backup is being made, although one that was cut off left its mark' },
    ...placeOptions,
  },
  exits: {
    failed: 'a kept backup cannot be read, or the time of 12 hours was up: run it again',
    badInput: 'no place, no private key, or no good number',
    unavailable: 'the place cannot be reached, or a backup is being made or removed there',
    config: 'the settings of S3 are not good',
  },
  async run({ positionals: [place = ''], options, json }, io) {
    const identity = identityFrom(options.identity);
    const rule = ruleOf(options['keep-last'], options['keep-days']);
    const dryRun = options['dry-run'] !== undefined;
    const outcome = await refusingCopies(async () => {
      const blobs = await openPlace(place, s3AccessOf(io), options);
      try {
        return await pruneBackups({
          source: { blobs, identity },
          rule,
          dryRun,
          alone: options.alone !== undefined,
          nowMs: Date.now,
          progress: sayProgress<PruneProgress>(
            io,
            ({ removed, removedBytes }) => `removed ${removed}, ${mebibytes(removedBytes)}`,
          ),
        });
      } finally {
        blobs.close();
      }
    });
    if (json) printJson(io, { ...outcome, dryRun });
    else say(io, outcome, dryRun);
    return outcome.whole ? exitCodes.ok : exitCodes.failed;
  },
});

function ruleOf(keepLast: string | undefined, keepDays: string | undefined) {
  if (keepLast === undefined && keepDays === undefined) {
    throw new CommandRefusal(exitCodes.usage, '--keep-last N or --keep-days DAYS is needed');
  }
  const days = readCount('keep-days', keepDays, 0, 1, keepMax);
  return {
    keepLast: readCount('keep-last', keepLast, 0, 1, keepMax),
    keepSinceMs: keepDays === undefined ? undefined : Date.now() - days * dayMs,
  };
}

function say(io: CommandIo, outcome: Awaited<ReturnType<typeof pruneBackups>>, dryRun: boolean): void {
  const { kept, removed, segmentsRemoved, bodiesRemoved, removedBytes, whole } = outcome;
  const what = `${bodiesRemoved} bodies, ${segmentsRemoved} pieces of ledgers, ${mebibytes(removedBytes)}`;
  io.stdout(`${dryRun ? 'would remove' : 'removed'} ${removed.length} backups and kept ${kept.length}: ${what}\n`);
  for (const id of removed) io.stdout(`${dryRun ? 'would go' : 'gone'}: ${id}\n`);
  if (!whole) io.stderr('the time was up before everything was removed: run it again\n');
}
