import { randomBytes } from 'node:crypto';
import type { Config } from '../config/config.ts';
import { openSecretKeys } from '../config/secrets.ts';
import { createKeysAtHand, type KeysAtHand } from '../keys/keys-at-hand.ts';
import type { Bodies } from '../store/bodies.ts';
import { createDiskBodies } from '../store/disk/disk-bodies.ts';
import { type FileSystem, nodeFileSystem } from '../store/disk/file-system.ts';
import type { Ledger } from '../store/ledger.ts';
import { openSqliteLedger } from '../store/sql/sqlite/ledger.ts';
import type { MachineClock } from './clocks.ts';

const bodyKeyBytes = 20;
const mebibytesABuffer = 4;
const blockBuffersMin = 2;

export interface StoreHooks {
  /** Requests being answered right now. */
  readonly companions?: () => number;
  readonly onBatch?: (batch: { readonly size: number; readonly tookMs: number }) => void;
  /** The ledger can no longer be trusted: the process must stop, and recover at its next start. */
  readonly onBroken: (reason: string) => void;
  readonly onBodyFlushFailure?: (reason: string) => void;
}

/** Chooses the record book. */
export function openLedger(config: Config, hooks: StoreHooks): Promise<Ledger> {
  const { path, cacheMebibytes, queueMax } = config.ledger;
  const { onBroken, onBatch, companions } = hooks;
  const watched = { ...(onBatch && { onBatch }), ...(companions && { companions }) };
  return openSqliteLedger({
    path,
    cacheMebibytes,
    queueMax,
    profile: config.profile,
    onBroken,
    ...watched,
  });
}

/** Chooses where bytes live. */
export function openBodies(
  config: Config,
  clock: MachineClock,
  hooks: StoreHooks,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<Bodies> {
  const { directory, diskReserveBytes, blockPoolMebibytes } = config.bodies;
  return createDiskBodies({
    root: directory,
    fileSystem,
    reserveBytes: diskReserveBytes,
    blockBuffers: Math.max(blockBuffersMin, Math.floor(blockPoolMebibytes / mebibytesABuffer)),
    clock,
    randomKey: () => randomBytes(bodyKeyBytes).toString('hex'),
    onFlushFailure: (fault) => hooks.onBodyFlushFailure?.(fault.message),
  });
}

/** The secret keys, read now and again when one is met that was not there. */
export function openKeys(config: Config, clock: MachineClock): KeysAtHand {
  return createKeysAtHand(
    () => openSecretKeys(config).map(({ id, key }) => ({ id, key: key.reveal() })),
    () => clock.nowMs(),
  );
}
