import { createHash } from 'node:crypto';
import type { Blobs } from '../store/blobs.ts';
import { BodyFault } from '../store/bodies.ts';
import type { LedgerEngine } from '../store/ledger-snapshot.ts';
import type { BackupIdentity } from './backup-keys.ts';
import { inOrder } from './in-order.ts';
import { type ManifestEntry, ManifestFault, type ManifestHead, openManifest } from './manifest.ts';
import { bodyBlobName, momentOf, snapshotIdOf, snapshotNameOf, snapshotsStart } from './names.ts';
import { UnsealFault, unseal } from './sealed-blob.ts';

/** Blobs read at a time. */
const lanes = 4;
const namedMax = 100;

export interface BackupSource {
  readonly blobs: Blobs;
  readonly identity: BackupIdentity;
}

/** The ids of the backups of a place, oldest first. */
export async function listBackups(blobs: Pick<Blobs, 'list'>): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const name of blobs.list(snapshotsStart)) {
    const id = snapshotIdOf(name);
    if (momentOf(id) !== undefined) ids.push(id);
  }
  return ids;
}

/** Opens a backup's manifest. Throws `UnsealFault`, `ManifestFault` or `BodyFault` 'missing'. */
export async function openBackup(
  { blobs, identity }: BackupSource,
  id: string,
): Promise<{ readonly head: ManifestHead; readonly entries: AsyncIterable<ManifestEntry> }> {
  const name = snapshotNameOf(id);
  return openManifest(unseal(identity, name, blobs.read(name)));
}

/** The bytes of one entry, checked while they pass: a wrong length or digest ends them with `UnsealFault`. */
export async function* bytesOf(
  { blobs, identity }: BackupSource,
  entry: Exclude<ManifestEntry, { kind: 'absent' }>,
): AsyncGenerator<Buffer, void, void> {
  const name = entry.kind === 'segment' ? entry.name : bodyBlobName(identity, entry.ref);
  const digest = createHash('sha256');
  let sizeBytes = 0;
  for await (const piece of unseal(identity, name, blobs.read(name))) {
    digest.update(piece);
    sizeBytes += piece.length;
    yield piece;
  }
  const wanted = entry.kind === 'body' ? entry.sha256 : '';
  if (sizeBytes !== entry.sizeBytes || (wanted !== '' && digest.digest('hex') !== wanted)) {
    throw new UnsealFault('the bytes are not those that were copied');
  }
}

export interface ReadProgress {
  readonly done: number;
  readonly bytes: number;
}

export interface Finding {
  readonly what: string;
  readonly problem: string;
}

export interface VerifyOutcome {
  readonly snapshot: string;
  readonly madeAtMs: number;
  readonly engine: LedgerEngine;
  readonly segments: number;
  readonly bodies: number;
  readonly bytes: number;
  /** What cannot be restored as it was, the first hundred. */
  readonly findings: readonly Finding[];
  readonly findingsCount: number;
}

/** Reads a whole backup back and says what of it is damaged, missing or was never in it. */
export async function verifyBackup(
  source: BackupSource,
  id: string,
  progress: (so: ReadProgress) => void,
): Promise<VerifyOutcome> {
  const { head, entries } = await openBackup(source, id);
  const sum = { segments: 0, bodies: 0, bytes: 0, findingsCount: 0 };
  const findings: Finding[] = [];
  for await (const { entry, problem, bytes } of inOrder(entries, lanes, (each) => verifyEntry(source, each))) {
    if (entry.kind === 'segment') sum.segments += 1;
    else sum.bodies += 1;
    sum.bytes += bytes;
    progress({ done: sum.segments + sum.bodies, bytes: sum.bytes });
    if (problem === undefined) continue;
    sum.findingsCount += 1;
    if (findings.length < namedMax) findings.push({ what: nameOf(entry), problem });
  }
  return { snapshot: id, madeAtMs: head.madeAtMs, engine: head.engine, ...sum, findings };
}

async function verifyEntry(
  source: BackupSource,
  entry: ManifestEntry,
): Promise<{ readonly entry: ManifestEntry; readonly problem: string | undefined; readonly bytes: number }> {
  if (entry.kind === 'absent') {
    return { entry, problem: `was ${entry.why} when the backup was made`, bytes: 0 };
  }
  let bytes = 0;
  try {
    for await (const piece of bytesOf(source, entry)) bytes += piece.length;
    return { entry, problem: undefined, bytes };
  } catch (error) {
    return { entry, problem: problemOf(error), bytes };
  }
}

function nameOf(entry: ManifestEntry): string {
  return entry.kind === 'segment' ? entry.name : entry.ref;
}

/** What is wrong with a part of a backup; errors of another kind pass. */
export function problemOf(error: unknown): string {
  if (error instanceof UnsealFault || error instanceof ManifestFault) return error.message;
  if (error instanceof BodyFault && error.kind === 'missing') return 'is not there';
  throw error;
}
