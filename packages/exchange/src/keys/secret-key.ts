import { hkdfSync } from 'node:crypto';

/** A 32-byte secret with the name under which what it encrypted remembers it. */
export interface SealingKey {
  /** 1–32 characters of A–Z a–z 0–9 . _ - */
  readonly id: string;
  readonly key: Uint8Array;
}

export const secretKeyBytes = 32;
export const keyIdPattern = /^[A-Za-z0-9._-]{1,32}$/;

/** One purpose, one key: what is made for one purpose can never help against another. */
export function deriveKey(key: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, new Uint8Array(0), `openmesh ${purpose} v1`, secretKeyBytes));
}

/** Throws RangeError when there is no key, a key is not 32 bytes, or two keys share a name. */
export function assertKeys(keys: readonly SealingKey[]): void {
  if (keys.length === 0) throw new RangeError('at least one secret key is needed');
  for (const { id, key } of keys) {
    if (!keyIdPattern.test(id)) throw new RangeError(`key id ${JSON.stringify(id)} is not 1-32 of A-Z a-z 0-9 . _ -`);
    if (key.byteLength !== secretKeyBytes)
      throw new RangeError(`key ${id} has ${key.byteLength} bytes and needs ${secretKeyBytes}`);
  }
  if (new Set(keys.map(({ id }) => id)).size !== keys.length) throw new RangeError('two secret keys share a name');
}
