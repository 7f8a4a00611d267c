import { rmSync, writeFileSync } from 'node:fs';
import { makeBackupKeys } from '../../backup/backup-keys.ts';
import { type BackupOutcome, type BackupProgress, createBackup } from '../../backup/create-backup.ts';
import { momentOf } from '../../backup/names.ts';
import { listBackups } from '../../backup/read-backup.ts';
import { namingSecret, openBodyBlobs, takeSnapshot } from '../../compose/copies.ts';
import { version } from '../../version.ts';
import type { Command, CommandIo } from '../command.ts';
import { exitCodes } from '../command.ts';
import { type CommandGroup, CommandRefusal, defineCommand, groupCommands } from '../define-command.ts';
import { goodConfig } from '../good-config.ts';
import { instantText, printJson, printTable } from '../print.ts';
import { openPlace, placeOptions, recipientFrom, s3AccessOf } from './places.ts';
import { mebibytes, sayProgress } from './progress.ts';
import { backupPrune } from './prune.ts';
import { refusingCopies } from './refusals.ts';

const backupKeygen = defineCommand({
  path: 'backup keygen',
  summary: 'make the keys that backups are sealed for and opened with',
  about: [
    'Writes NAME.pub and NAME.key. Give the server NAME.pub only. NAME.key opens every backup that was sealed for it:',
    'keep it where the server cannot reach it, and more than once, for without it no backup can be read.',
  ].join('\n'),
  positionals: ['NAME'],
  options: {},
  exits: { cannotCreate: 'a file exists or cannot be written' },
  async run({ positionals: [name = ''], json }, io) {
    const { publicText, privateText } = makeBackupKeys();
    const files = { public: `${name}.pub`, private: `${name}.key` };
    writeNew(files.private, privateText, 0o400);
    try {
      writeNew(files.public, publicText, 0o444);
    } catch (error) {
      rmSync(files.private, { force: true });
      throw error;
    }
    if (json) printJson(io, files);
    else io.stdout(`wrote ${files.public}, for the server, and ${files.private}, for whoever restores\n`);
    return exitCodes.ok;
  },
});

function writeNew(file: string, text: string, mode: number): void {
  try {
    writeFileSync(file, text, { flag: 'wx', mode, flush: true });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const why = code === 'EEXIST' ? 'exists already: choose another name' : `cannot be written (${code})`;
    throw new CommandRefusal(exitCodes.cannotCreate, `${file} ${why}`);
  }
}

const backupCreate = defineCommand({
  path: 'backup create',
  summary: 'copy ledger and bodies as they are now, sealed for a recipient',
  about: [
    'Copies what PLACE, file:DIRECTORY or s3://BUCKET/PREFIX, does not have yet: the ledger at one moment, and every body',
    'that it names. The exchange goes on meanwhile. A backup that is cut off shows as none; run it again. Bodies that are',
    'missing or damaged are named, kept out, and end the command with 1.',
  ].join('\n'),
  positionals: ['PLACE'],
  options: {
    recipient: { value: 'FILE', says: 'the public key of "backup keygen" (needed)' },
    ...placeOptions,
  },
  exits: {
    failed: 'bodies are missing or damaged, or the ledger cannot be copied',
    badInput: 'no place, or no public key',
    unavailable: 'a store cannot be reached, or old backups are being removed',
    config: 'the settings are not good',
  },
  async run({ positionals: [place = ''], options, json }, io) {
    const { config } = goodConfig(io.env);
    const recipient = recipientFrom(options.recipient);
    const outcome = await refusingCopies(async () => {
      const keptApartFrom = config.bodies.kind === 'file' ? config.bodies.directory : undefined;
      const target = await openPlace(place, config.s3, options, keptApartFrom);
      const bodies = await openBodyBlobs(config);
      const snapshot = await takeSnapshot(config);
      try {
        return await createBackup({
          snapshot,
          bodies,
          target,
          recipient,
          namingSecret: namingSecret(config),
          nowMs: Date.now,
          product: version,
          progress: sayProgress<BackupProgress>(
            io,
            ({ phase, done, copied, copiedBytes }) =>
              `${phase}: looked at ${done}, copied ${copied}; ${mebibytes(copiedBytes)} in all`,
          ),
        });
      } finally {
        await snapshot.close();
        bodies.close();
        target.close();
      }
    });
    if (json) printJson(io, outcome);
    else say(io, outcome);
    return outcome.absentCount === 0 ? exitCodes.ok : exitCodes.failed;
  },
});

function say(io: CommandIo, outcome: BackupOutcome): void {
  const { snapshot, segments, segmentsCopied, bodies, bodiesCopied, copiedBytes, absent, absentCount } = outcome;
  io.stdout(
    `backup ${snapshot}: ${bodies} bodies and ${segments} pieces of the ledger, ` +
      `${bodiesCopied} and ${segmentsCopied} of them copied (${mebibytes(copiedBytes)})\n`,
  );
  for (const { ref, why } of absent) io.stderr(`${why}: ${ref}\n`);
  if (absentCount > absent.length) io.stderr(`and ${absentCount - absent.length} more\n`);
}

const backupList = defineCommand({
  path: 'backup list',
  summary: 'list the backups of a place',
  about: 'Lists what PLACE, file:DIRECTORY or s3://BUCKET/PREFIX, holds, oldest first. Needs no key.',
  positionals: ['PLACE'],
  options: placeOptions,
  exits: {
    badInput: 'no place',
    unavailable: 'the place cannot be reached',
    config: 'the settings of S3 are not good',
  },
  async run({ positionals: [place = ''], options, json }, io) {
    const ids = await refusingCopies(async () => {
      const blobs = await openPlace(place, s3AccessOf(io), options);
      try {
        return await listBackups(blobs);
      } finally {
        blobs.close();
      }
    });
    const backups = ids.map((snapshot) => ({ snapshot, madeAt: instantText(momentOf(snapshot) ?? null) }));
    if (json) printJson(io, backups);
    else
      printTable(
        io,
        ['snapshot', 'made'],
        backups.map(({ snapshot, madeAt }) => [snapshot, madeAt]),
      );
    return exitCodes.ok;
  },
});

/** `backup`: making backups and looking at what there is. */
export function createBackupCommand(): CommandGroup {
  const commands: readonly Command[] = [backupKeygen, backupCreate, backupList, backupPrune];
  return groupCommands('backup', 'make backups of ledger and bodies, and remove old ones', commands);
}
