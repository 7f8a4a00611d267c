import type { WrappedKey } from '../store/ledger/messages.ts';
import { createFileKeys } from './file-keys.ts';
import type { KeyService } from './key-service.ts';
import { SealFault } from './seal-fault.ts';
import type { SealingKey } from './secret-key.ts';

/** The secret keys as they were last read: the first is in use. */
export interface KeysAtHand {
  current(): readonly SealingKey[];
  /** Reads them again; true when they are others than before. Throws what reading does. */
  readAgain(): boolean;
  /** `readAgain` for whoever met a key that is not at hand; false when somebody did that within the last seconds. */
  readForMissing(): boolean;
}

/** Whatever meets keys that are not at hand reads them again, but not more often than this. */
const readForMissingMs = 2000;

/** `read` throws when there are no keys to be read; those that were are kept then. `elapsedMs` goes on while the clock is set. */
export function createKeysAtHand(read: () => readonly SealingKey[], elapsedMs: () => number): KeysAtHand {
  let keys = read();
  let missedAtMs = Number.NEGATIVE_INFINITY;
  const readAgain = (): boolean => {
    const fresh = read();
    if (names(fresh) === names(keys)) return false;
    keys = fresh;
    return true;
  };
  return {
    current: () => keys,
    readAgain,
    readForMissing() {
      // Other readings do not count: a key that was put into the file just after one of them is met all the same.
      if (elapsedMs() - missedAtMs < readForMissingMs) return false;
      missedAtMs = elapsedMs();
      return readAgain();
    },
  };
}

function names(keys: readonly SealingKey[]): string {
  return keys.map(({ id }) => id).join(' ');
}

/** Something made of the keys, and made again when they are others. */
export function madeOf<T>(atHand: KeysAtHand, make: (keys: readonly SealingKey[]) => T): () => T {
  let keys = atHand.current();
  let made = make(keys);
  return () => {
    if (keys !== atHand.current()) {
      keys = atHand.current();
      made = make(keys);
    }
    return made;
  };
}

/** Runs `open`; when that meets a key that is not at hand, once more with what reading the keys again brought. */
export function openingWith<R>(atHand: KeysAtHand, open: () => R): R {
  try {
    return open();
  } catch (error) {
    if (error instanceof SealFault && error.kind === 'unknown-key' && atHand.readForMissing()) return open();
    throw error;
  }
}

/** The key service over keys that may change while it runs. */
export function serveKeys(atHand: KeysAtHand): KeyService {
  const service = madeOf(atHand, createFileKeys);
  return {
    keyInUse: () => service().keyInUse(),
    wrap: (key, context) => service().wrap(key, context),
    unwrap: (wrapped: WrappedKey, context) => openingWith(atHand, () => service().unwrap(wrapped, context)),
  };
}
