import { createHash } from 'node:crypto';
import type { Blobs } from '../store/blobs.ts';
import { BodyFault } from '../store/bodies.ts';
import type { LedgerEngine } from '../store/ledger-snapshot.ts';
import { readThrough } from './check-body.ts';
import { inOrder } from './in-order.ts';
import type { ManifestEntry } from './manifest.ts';
import { type BackupSource, bytesOf, openBackup, type ReadProgress } from './read-backup.ts';

const lanes = 4;

export interface RestoreParts {
  readonly source: BackupSource;
  readonly bodies: Pick<Blobs, 'size' | 'read' | 'write'>;
  /** Makes the ledger of its image; refuses where one is. */
  readonly restoreLedger: (engine: LedgerEngine, pieces: AsyncIterable<Uint8Array>) => Promise<void>;
  readonly progress: (so: ReadProgress) => void;
}

export interface RestoreOutcome {
  readonly snapshot: string;
  readonly madeAtMs: number;
  readonly segments: number;
  readonly bodies: number;
  readonly bodiesThere: number;
  readonly bytes: number;
  /** Bodies that were not in the backup: their messages are there and cannot be downloaded. */
  readonly absent: number;
}

type BodyEntry = Extract<ManifestEntry, { kind: 'body' }>;

/**
 * Bytes before book: bodies first, then the ledger that names them. A restore that was cut off is begun again, and leaves
 * out the bodies that are there, byte for byte.
 */
export async function restoreBackup(parts: RestoreParts, id: string): Promise<RestoreOutcome> {
  const { source, progress, bodies } = parts;
  const sum = { segments: 0, bodies: 0, bodiesThere: 0, bytes: 0, absent: 0 };
  const { head, entries } = await openBackup(source, id);
  const segments: Extract<ManifestEntry, { kind: 'segment' }>[] = [];
  async function* bodiesOnly(): AsyncGenerator<BodyEntry, void, void> {
    for await (const entry of entries) {
      if (entry.kind === 'segment') segments.push(entry);
      else if (entry.kind === 'absent') sum.absent += 1;
      else yield entry;
    }
  }
  const put = async (entry: BodyEntry): Promise<boolean> => {
    if (await isThere(parts, entry)) return false;
    await bodies.write(entry.ref, bytesOf(source, entry));
    sum.bytes += entry.sizeBytes;
    return true;
  };
  for await (const written of inOrder(bodiesOnly(), lanes, put)) {
    sum.bodies += 1;
    if (!written) sum.bodiesThere += 1;
    progress({ done: sum.bodies, bytes: sum.bytes });
  }
  async function* image(): AsyncGenerator<Uint8Array, void, void> {
    for (const segment of segments) {
      yield* bytesOf(source, segment);
      sum.segments += 1;
      sum.bytes += segment.sizeBytes;
      progress({ done: sum.bodies + sum.segments, bytes: sum.bytes });
    }
  }
  await parts.restoreLedger(head.engine, image());
  return { snapshot: id, madeAtMs: head.madeAtMs, ...sum };
}

/** The manifest has no digest of an encrypted body, and its key is in the ledger: it is held against the one in the backup. */
async function isThere({ source, bodies }: RestoreParts, entry: BodyEntry): Promise<boolean> {
  if ((await bodies.size(entry.ref)) !== entry.sizeBytes) return false;
  const wanted = entry.sha256 === '' ? await digestOf(bytesOf(source, entry)) : entry.sha256;
  try {
    return (await digestOf(bodies.read(entry.ref))) === wanted;
  } catch (error) {
    // What cannot be read is not there, and is written anew.
    if (error instanceof BodyFault) return false;
    throw error;
  }
}

async function digestOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const digest = createHash('sha256');
  await readThrough(pieces, (piece) => void digest.update(piece));
  return digest.digest('hex');
}
