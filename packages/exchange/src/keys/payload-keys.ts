import type { WrappedKey } from '../store/ledger/messages.ts';
import type { KeyService, Soon } from './key-service.ts';
import { PayloadKey } from './payload-key.ts';
import { createRandomSource } from './random-source.ts';
import { secretKeyBytes } from './secret-key.ts';

/** Where the keys of payloads come from. */
export interface PayloadKeys {
  /** A fresh key for a payload; null where bodies are not encrypted. */
  make(payloadId: string): Soon<PayloadKey> | null;
  /**
   * The key of a payload as its row is to keep it, asked for when the row is about to be written: a body may take hours to
   * come, and the secret key that was in use when it began may have been rewrapped away and dropped meanwhile.
   */
  wrappedNow(payloadId: string, key: PayloadKey): Soon<WrappedKey>;
  /** A key from its payload's row. Throws or rejects with `SealFault` when that cannot be opened. */
  open(payloadId: string, wrapped: WrappedKey): Soon<PayloadKey>;
}

/** `encrypts` says whether new payloads get a key; those that have one are opened either way. */
export function createPayloadKeys(service: KeyService, encrypts: boolean): PayloadKeys {
  const fillRandom = createRandomSource();
  const opened = (bytes: Uint8Array, wrapped: WrappedKey) => new PayloadKey(bytes, wrapped, fillRandom);
  return {
    make(payloadId) {
      if (!encrypts) return null;
      const bytes = Buffer.allocUnsafe(secretKeyBytes);
      fillRandom(bytes, 0, secretKeyBytes);
      const wrapped = service.wrap(bytes, payloadContext(payloadId));
      return wrapped instanceof Promise ? wrapped.then((later) => opened(bytes, later)) : opened(bytes, wrapped);
    },
    wrappedNow(payloadId, key) {
      if (key.wrapped.keyId === service.keyInUse()) return key.wrapped;
      const bytes = key.bytes();
      const wrapped = service.wrap(bytes, payloadContext(payloadId));
      if (wrapped instanceof Promise) return wrapped.finally(() => bytes.fill(0));
      bytes.fill(0);
      return wrapped;
    },
    open(payloadId, wrapped) {
      const bytes = service.unwrap(wrapped, payloadContext(payloadId));
      return bytes instanceof Promise ? bytes.then((later) => opened(later, wrapped)) : opened(bytes, wrapped);
    },
  };
}

/** What a payload's key is wrapped with, so that it opens in its own row only. */
export function payloadContext(payloadId: string): string {
  return `payload:${payloadId}`;
}
