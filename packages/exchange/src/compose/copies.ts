import { resolve, sep } from 'node:path';
import { readS3Place } from '../config/bodies-settings.ts';
import type { Config } from '../config/config.ts';
import { environmentOfChildren } from '../config/env.ts';
import { openSecretKeys } from '../config/secrets.ts';
import type { Blobs } from '../store/blobs.ts';
import { DiskBlobs } from '../store/disk/disk-blobs.ts';
import { LedgerCopyProblem, type LedgerEngine, type LedgerSnapshot } from '../store/ledger-snapshot.ts';

/** The body store as a copy sees it: bytes by their names. */
export async function openBodyBlobs({ bodies, s3 }: Pick<Config, 'bodies' | 's3'>): Promise<Blobs> {
  return bodies.kind === 'file' ? new DiskBlobs(bodies.directory) : openS3Blobs(s3, bodies);
}

/** A place of backups, `file:DIRECTORY` or `s3://BUCKET/PREFIX`; undefined when the text is neither. */
export async function openBackupPlace(
  s3: Config['s3'],
  text: string,
  keptApartFrom?: string,
): Promise<Blobs | undefined> {
  const place = readS3Place(text);
  if (place !== undefined) return openS3Blobs(s3, place);
  const directory = /^file:(?!\/\/(?!\/))(.+)$/.exec(text)?.[1];
  if (directory === undefined) return undefined;
  const folder = resolve(directory);
  if (keptApartFrom !== undefined && `${folder}${sep}`.startsWith(`${keptApartFrom}${sep}`)) {
    throw new LedgerCopyProblem('a backup may not lie in the folder of the bodies');
  }
  return new DiskBlobs(folder);
}

async function openS3Blobs(s3: Config['s3'], place: NonNullable<ReturnType<typeof readS3Place>>): Promise<Blobs> {
  const [{ S3Blobs }, { openObjectStore }] = await Promise.all([import('../store/s3/s3-blobs.ts'), import('./s3.ts')]);
  return new S3Blobs(await openObjectStore(s3, place));
}

/** The record book at this moment. Throws `LedgerCopyProblem`. */
export async function takeSnapshot({ ledger }: Config): Promise<LedgerSnapshot> {
  switch (ledger.engine) {
    case 'sqlite':
      return (await import('../store/sql/sqlite/snapshot.ts')).snapshotSqlite(ledger.path);
    case 'postgres':
      return (await import('../store/sql/postgres/snapshot.ts')).snapshotPostgres(
        ledger.url.reveal(),
        environmentOfChildren(),
      );
  }
}

/** Holds the place where a record book is to be made, where that is a file: nobody else makes one there meanwhile. */
export async function holdForRestoring({ ledger }: Config): Promise<Disposable | undefined> {
  switch (ledger.engine) {
    case 'sqlite':
      return (await import('../store/sql/sqlite/snapshot.ts')).holdForRestoring(ledger.path);
    case 'postgres':
      // Its image is restored in one transaction, of which a second one finds the tables.
      return undefined;
  }
}

/** Makes the record book of an image of its engine. Throws `LedgerCopyProblem`, also where there is one already. */
export async function restoreLedger(
  { ledger }: Config,
  engine: LedgerEngine,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  if (ledger.engine !== engine) {
    throw new LedgerCopyProblem(
      `the backup is of a ledger on ${engine}, and OPENMESH_LEDGER names ${ledger.engine}: restore it on ${engine}, then use "migrate-store"`,
    );
  }
  switch (ledger.engine) {
    case 'sqlite':
      return (await import('../store/sql/sqlite/snapshot.ts')).restoreSqlite(ledger.path, pieces);
    case 'postgres':
      return (await import('../store/sql/postgres/snapshot.ts')).restorePostgres(
        ledger.url.reveal(),
        environmentOfChildren(),
        pieces,
      );
  }
}

/** What pieces of the ledger are named by in a backup: the exchange's own secret, so that their names tell nothing. */
export function namingSecret(config: Config): Uint8Array {
  const [newest] = openSecretKeys(config);
  if (newest === undefined) throw new Error('no secret key was opened');
  return newest.key.reveal();
}
