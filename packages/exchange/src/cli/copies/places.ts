import { readFileSync } from 'node:fs';
import { type BackupIdentity, type BackupRecipient, readIdentity, readRecipient } from '../../backup/backup-keys.ts';
import { isAhead, momentOf } from '../../backup/names.ts';
import { listBackups } from '../../backup/read-backup.ts';
import { openBackupPlace } from '../../compose/copies.ts';
import type { Config } from '../../config/config.ts';
import { readS3Access } from '../../config/s3-access.ts';
import type { Blobs } from '../../store/blobs.ts';
import { type CommandIo, exitCodes } from '../command.ts';
import { CommandRefusal } from '../define-command.ts';

/** Options of every command that reaches a place of backups. */
export const placeOptions = {
  's3-endpoint': { value: 'URL', says: 'the S3 store of PLACE, where it is not that of OPENMESH_S3_ENDPOINT' },
  's3-region': { value: 'NAME', says: 'its region, where it is not that of OPENMESH_S3_REGION' },
} as const;

/** Options of every command that reads a backup back; `chooseBackup` and `identityFrom` read them. */
export const readingOptions = {
  identity: { value: 'FILE', says: 'the private key of "backup keygen" (needed)' },
  snapshot: { value: 'ID', says: 'a backup of "backup list"; the newest when left out' },
  at: { value: 'TIME', says: 'the newest made by this moment, ISO 8601' },
  ...placeOptions,
} as const;

type PlaceOptions = { readonly [Name in keyof typeof placeOptions]?: string };

/** S3 access of the environment, for commands that need no exchange's settings. */
export function s3AccessOf(io: CommandIo): Config['s3'] {
  const access = readS3Access(io.env);
  if (access.ok) return access.s3;
  const problems = access.problems.map(({ name, problem }) => `\n  ${name} ${problem}`).join('');
  throw new CommandRefusal(exitCodes.config, `the settings are not good; put right and try again:${problems}`);
}

export async function openPlace(
  text: string,
  s3: Config['s3'],
  options: PlaceOptions,
  keptApartFrom?: string,
): Promise<Blobs> {
  const access = {
    ...s3,
    ...(options['s3-endpoint'] !== undefined && { endpoint: options['s3-endpoint'] }),
    ...(options['s3-region'] !== undefined && { region: options['s3-region'] }),
  };
  const place = await openBackupPlace(access, text, keptApartFrom);
  if (place === undefined) {
    throw new CommandRefusal(exitCodes.badInput, 'a place is file:DIRECTORY or s3://BUCKET/PREFIX');
  }
  return place;
}

export function recipientFrom(file: string | undefined): BackupRecipient {
  const recipient = readRecipient(textOf(file, '--recipient'));
  if (recipient === undefined) {
    throw new CommandRefusal(exitCodes.badInput, `${file} is no public key made by "backup keygen"`);
  }
  return recipient;
}

export function identityFrom(file: string | undefined): BackupIdentity {
  const identity = readIdentity(textOf(file, '--identity'));
  if (identity === undefined) {
    throw new CommandRefusal(exitCodes.badInput, `${file} is no private key made by "backup keygen"`);
  }
  return identity;
}

function textOf(file: string | undefined, option: string): string {
  if (file === undefined) throw new CommandRefusal(exitCodes.usage, `${option} FILE is needed`);
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new CommandRefusal(exitCodes.badInput, `${file} cannot be read (${code})`);
  }
}

/** The backup that is meant: the one named, else the newest, or the newest that was made by the moment `at`. */
export async function chooseBackup(place: Blobs, named: string | undefined, at: string | undefined): Promise<string> {
  if (named !== undefined && at !== undefined) {
    throw new CommandRefusal(exitCodes.usage, '--snapshot and --at exclude each other');
  }
  const latestMs = at === undefined ? Number.POSITIVE_INFINITY : Date.parse(at);
  if (Number.isNaN(latestMs))
    throw new CommandRefusal(exitCodes.badInput, '--at is no moment such as 2026-11-26T12:00:00Z');
  const ids = await listBackups(place);
  const chosen =
    named === undefined ? ids.findLast((id) => (momentOf(id) ?? 0) <= latestMs) : ids.find((id) => id === named);
  if (chosen === undefined) {
    const say = named === undefined ? 'there is no backup of that time in this place' : `there is no backup ${named}`;
    throw new CommandRefusal(exitCodes.failed, `${say}; "backup list" shows what there is`);
  }
  if (named === undefined && at === undefined && isAhead(chosen, Date.now())) {
    const say = `the newest backup, ${chosen}, is dated later than it is now: set the clock right, or name one by --snapshot`;
    throw new CommandRefusal(exitCodes.failed, `${say}; "backup list" shows what there is`);
  }
  return chosen;
}
