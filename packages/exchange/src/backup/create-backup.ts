import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import type { Blobs } from '../store/blobs.ts';
import type { LedgerSnapshot, NamedBody } from '../store/ledger-snapshot.ts';
import type { BackupRecipient } from './backup-keys.ts';
import { checkBody, type OpenSealedBody } from './check-body.ts';
import { noting } from './copy-bodies.ts';
import { inOrder } from './in-order.ts';
import { lineOf, type ManifestEntry } from './manifest.ts';
import { bodiesStart, bodyBlobName, newSnapshotName, segmentsStart, snapshotIdOf } from './names.ts';
import { markedIn } from './place-marks.ts';
import { seal } from './sealed-blob.ts';

/** The ledger's image is cut into pieces of this size; those that did not change are not copied again. */
const segmentBytes = 1024 * 1024;
/** Copies under way at a time. */
const lanes = 4;
/** Bodies named in an outcome; the manifest names all. */
const namedMax = 100;

export interface BackupParts {
  readonly snapshot: LedgerSnapshot;
  /** The body store as a copy sees it. */
  readonly bodies: Pick<Blobs, 'read'>;
  readonly target: Blobs;
  readonly recipient: BackupRecipient;
  readonly openSealed: OpenSealedBody;
  /** A secret of the exchange, 32 bytes: pieces of the ledger are named by it, so that their names tell nothing. */
  readonly namingSecret: Uint8Array;
  readonly nowMs: () => number;
  readonly product: string;
  /** Told now and then what was done so far. */
  readonly progress: (so: BackupProgress) => void;
}

export interface BackupProgress {
  readonly phase: 'ledger' | 'bodies';
  /** Looked at, copied or not. */
  readonly done: number;
  readonly copied: number;
  readonly copiedBytes: number;
}

export interface BackupOutcome {
  /** What `restore` and `verify` call it. */
  readonly snapshot: string;
  readonly segments: number;
  readonly segmentsCopied: number;
  readonly bodies: number;
  readonly bodiesCopied: number;
  /** Plain bytes, before they were sealed. */
  readonly copiedBytes: number;
  /** Of the bodies copied, by their length alone: the ledger keeps no digest, or their key is not at hand. */
  readonly unchecked: number;
  /** Bodies that the ledger names and the store did not have as they should be, the first hundred. */
  readonly absent: readonly { readonly ref: string; readonly why: 'missing' | 'damaged' }[];
  readonly absentCount: number;
}

/**
 * Copies what the target does not have yet, ledger first, and then writes the manifest that names it all: a backup that was
 * cut off shows as none, and what it copied counts for the next. A body is there before a row names it and stays until its
 * date, so that the bodies of a moment can be copied after the moment. Throws `PlaceInUse` while old ones are removed.
 */
export function createBackup(parts: BackupParts): Promise<BackupOutcome> {
  const { target, nowMs } = parts;
  return markedIn(target, 'making', { nowMs, besides: ['pruning'] }, () => copyAll(parts));
}

async function copyAll(parts: BackupParts): Promise<BackupOutcome> {
  const { target, recipient, snapshot, progress } = parts;
  const madeAtMs = parts.nowMs();
  const name = newSnapshotName(madeAtMs, randomBytes(4).toString('hex'));
  const sum = {
    segments: 0,
    segmentsCopied: 0,
    bodies: 0,
    bodiesCopied: 0,
    copiedBytes: 0,
    unchecked: 0,
    absentCount: 0,
  };
  const absent: { ref: string; why: 'missing' | 'damaged' }[] = [];

  async function* lines(): AsyncGenerator<Buffer, void, void> {
    const { engine } = snapshot;
    yield lineOf({ format: 'openmesh-backup', version: 1, madeAtMs, product: parts.product, engine });
    for await (const { entry, copied } of copySegments(parts)) {
      sum.segments += 1;
      if (copied) sum.segmentsCopied += 1;
      if (copied) sum.copiedBytes += entry.sizeBytes;
      progress({ phase: 'ledger', done: sum.segments, copied: sum.segmentsCopied, copiedBytes: sum.copiedBytes });
      yield lineOf(entry);
    }
    for await (const { entry, copied, unchecked } of copyBodies(parts)) {
      if (entry === undefined) continue;
      if (unchecked === true) sum.unchecked += 1;
      if (entry.kind === 'absent') {
        sum.absentCount += 1;
        if (absent.length < namedMax) absent.push({ ref: entry.ref, why: entry.why });
      } else {
        sum.bodies += 1;
        if (copied) sum.bodiesCopied += 1;
        if (copied) sum.copiedBytes += entry.sizeBytes;
      }
      progress({ phase: 'bodies', done: sum.bodies, copied: sum.bodiesCopied, copiedBytes: sum.copiedBytes });
      yield lineOf(entry);
    }
    yield lineOf({ kind: 'end', segments: sum.segments, bodies: sum.bodies });
  }

  await target.write(name, seal(recipient, name, lines()));
  return { snapshot: snapshotIdOf(name), ...sum, absent };
}

type Segment = Extract<ManifestEntry, { kind: 'segment' }>;

async function* copySegments(parts: BackupParts): AsyncGenerator<{ entry: Segment; copied: boolean }, void, void> {
  const { snapshot, target, recipient } = parts;
  const there = new Set<string>();
  for await (const name of target.list(segmentsStart)) there.add(name);
  // Named for the recipient too: what is sealed for another key is of no use to this one.
  const key = Buffer.from(hkdfSync('sha256', parts.namingSecret, recipient.bytes, 'openmesh backup segment names', 32));
  yield* inOrder(inSegments(snapshot.pieces()), lanes, async (bytes) => {
    const name = `${segmentsStart}${createHmac('sha256', key).update(bytes).digest('hex')}`;
    const copied = !there.has(name);
    there.add(name);
    if (copied) await target.write(name, seal(recipient, name, [bytes]));
    return { entry: { kind: 'segment', name, sizeBytes: bytes.length } as const, copied };
  });
}

async function* inSegments(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, void> {
  let segment = Buffer.allocUnsafe(segmentBytes);
  let used = 0;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const taken = Math.min(segmentBytes - used, piece.length - at);
      segment.set(piece.subarray(at, at + taken), used);
      used += taken;
      at += taken;
      if (used < segmentBytes) continue;
      yield segment;
      segment = Buffer.allocUnsafe(segmentBytes);
      used = 0;
    }
  }
  if (used > 0) yield segment.subarray(0, used);
}

interface CopiedBody {
  /** undefined: it was rightly gone, and nobody will miss it. */
  readonly entry: Extract<ManifestEntry, { kind: 'body' | 'absent' }> | undefined;
  readonly copied: boolean;
  readonly unchecked?: boolean;
}

/** Both lists are in the order of their bytes: each is walked once, whatever its length. */
async function* copyBodies(parts: BackupParts): AsyncGenerator<CopiedBody, void, void> {
  const start = bodiesStart(parts.recipient);
  const there = parts.target.list(start)[Symbol.asyncIterator]();
  let known = await there.next();
  async function* judged(): AsyncGenerator<{ body: NamedBody; there: boolean }, void, void> {
    for await (const body of parts.snapshot.bodies()) {
      const name = bodyBlobName(parts.recipient, body.ref);
      while (known.done !== true && known.value < name) known = await there.next();
      yield { body, there: known.done !== true && known.value === name };
    }
  }
  yield* inOrder(judged(), lanes, ({ body, there: isThere }) =>
    isThere ? Promise.resolve(listed(body, false)) : copyBody(parts, body),
  );
}

function listed({ ref, sizeBytes, sha256 }: NamedBody, copied: boolean): CopiedBody {
  return { entry: { kind: 'body', ref, sizeBytes, sha256 }, copied };
}

async function copyBody(parts: BackupParts, body: NamedBody): Promise<CopiedBody> {
  const { bodies, target, recipient, nowMs, openSealed, snapshot } = parts;
  const name = bodyBlobName(recipient, body.ref);
  let unchecked = false;
  const outcome = await noting(body, { nowMs, isNamedNow: (ref) => snapshot.isNamedNow(ref) }, async () => {
    const { bytes, isChecked } = await checkBody(bodies, body, openSealed);
    await target.write(name, seal(recipient, name, bytes));
    unchecked = !isChecked;
  });
  switch (outcome) {
    case 'copied':
      return { ...listed(body, true), unchecked };
    case 'gone':
      return { entry: undefined, copied: false };
    case 'missing':
    case 'damaged':
      return { entry: { kind: 'absent', ref: body.ref, why: outcome }, copied: false };
  }
}
