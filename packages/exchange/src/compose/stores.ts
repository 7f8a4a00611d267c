import { dirname } from 'node:path';
import type { Config } from '../config/config.ts';
import { openSecretKeys } from '../config/secrets.ts';
import { createKeysAtHand, type KeysAtHand } from '../keys/keys-at-hand.ts';
import type { Bodies } from '../store/bodies.ts';
import { createDiskBodies } from '../store/disk/disk-bodies.ts';
import { type FileSystem, nodeFileSystem } from '../store/disk/file-system.ts';
import { SpaceGuard } from '../store/disk/space-guard.ts';
import type { Ledger } from '../store/ledger.ts';
import type { UnsafeSetting } from '../store/ledger-problem.ts';
import { openPostgresLedger } from '../store/sql/postgres/ledger.ts';
import { openSqliteLedger } from '../store/sql/sqlite/ledger.ts';
import { randomBodyKey } from './body-keys.ts';
import type { MachineClock } from './clocks.ts';

const mebibytesABuffer = 4;
const blockBuffersMin = 2;

export interface StoreHooks {
  /** Requests being answered right now. */
  readonly companions?: () => number;
  readonly onBatch?: (batch: { readonly size: number; readonly tookMs: number }) => void;
  /** The ledger can no longer be trusted: the process must stop, and recover at its next start. */
  readonly onBroken: (reason: string) => void;
  /** A node of the same ledger changed the registry, or may have: a hint that may be lost. */
  readonly onRegistryHint?: () => void;
  /** The database may lose what it answered, by this setting; with `refuse` it is not opened instead. */
  readonly onUnsafeServer?: (setting: UnsafeSetting) => void;
  /** The file of the ledger is no longer in its place, or is there again. */
  readonly onLedgerFileLost?: (isLost: boolean) => void;
  readonly onBodyFlushFailure?: (reason: string) => void;
}

/** Chooses the record book. */
export function openLedger(config: Config, hooks: StoreHooks): Promise<Ledger> {
  const { cacheMebibytes, queueMax } = config.ledger;
  const { onBroken, onBatch, companions, onRegistryHint, onUnsafeServer, onLedgerFileLost } = hooks;
  const { profile, ledger: place } = config;
  const watched = { queueMax, profile, ...(onBatch && { onBatch }) };
  switch (place.engine) {
    case 'sqlite':
      return openSqliteLedger({
        path: place.path,
        cacheMebibytes,
        onBroken,
        ...watched,
        ...(companions && { companions }),
        ...(onLedgerFileLost && { onFileLost: onLedgerFileLost }),
      });
    case 'postgres':
      return openPostgresLedger({
        url: place.url.reveal(),
        ...watched,
        ...(onRegistryHint && { onRegistryHint }),
        ...(place.unsafeServer === 'warn' && { onUnsafeServer: onUnsafeServer ?? (() => undefined) }),
      });
  }
}

/** Chooses where bytes live. Rejects with `BodyStoreProblem` when an object store cannot be worked with. */
export async function openBodies(
  config: Config,
  clock: MachineClock,
  hooks: StoreHooks,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<Bodies> {
  const { diskReserveBytes: reserveBytes, blockPoolMebibytes } = config.bodies;
  const blockBuffers = Math.max(blockBuffersMin, Math.floor(blockPoolMebibytes / mebibytesABuffer));
  if (config.bodies.kind === 'file') {
    return createDiskBodies({
      root: config.bodies.directory,
      fileSystem,
      besides: config.ledger.engine === 'sqlite' ? [dirname(config.ledger.path)] : [],
      reserveBytes,
      blockBuffers,
      clock,
      randomKey: randomBodyKey,
      onFlushFailure: (fault) => hooks.onBodyFlushFailure?.(fault.message),
    });
  }
  // Loaded here: a store on disk has no use for a client of S3.
  const [{ createS3Bodies }, { openObjectStore }] = await Promise.all([
    import('../store/s3/s3-bodies.ts'),
    import('./s3.ts'),
  ]);
  const objects = await openObjectStore(config.s3, config.bodies);
  const freeBytes = freeBytesOf(config.ledger, (root) => new SpaceGuard({ root, fileSystem, reserveBytes, clock }));
  return createS3Bodies({ objects, blockBuffers, clock, randomKey: randomBodyKey, freeBytes });
}

/** Small bodies go into the ledger: where that is a file, its disk has a reserve to keep; a database keeps its own. */
function freeBytesOf(ledger: Config['ledger'], guardOf: (folder: string) => SpaceGuard): () => Promise<number> {
  if (ledger.engine !== 'sqlite') return () => Promise.resolve(Number.POSITIVE_INFINITY);
  const space = guardOf(dirname(ledger.path));
  return () => space.freeBytes();
}

/** The secret keys, read now and again when one is met that was not there. */
export function openKeys(config: Config, clock: MachineClock): KeysAtHand {
  return createKeysAtHand(
    () => openSecretKeys(config).map(({ id, key }) => ({ id, key: key.reveal() })),
    () => clock.elapsedMs(),
  );
}
