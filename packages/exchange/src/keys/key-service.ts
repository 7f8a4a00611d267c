import type { WrappedKey } from '../store/ledger/messages.ts';

/** What a service that is asked over a network would answer later, and one that has its keys at hand at once. */
export type Soon<T> = T | Promise<T>;

/**
 * Encrypts the keys of payloads under a key that never leaves it: a file, a hardware module, a service. A wrapped key
 * opens with the context it was wrapped with and no other. Rejections and throws are a `SealFault`, which means that
 * this wrapped key cannot be opened, or anything else, which means: try again later.
 */
export interface KeyService {
  /** Wraps 32 bytes under the key in use. */
  wrap(key: Uint8Array, context: string): Soon<WrappedKey>;
  unwrap(wrapped: WrappedKey, context: string): Soon<Uint8Array>;
  /** The name of the key in use. */
  keyInUse(): string;
}
