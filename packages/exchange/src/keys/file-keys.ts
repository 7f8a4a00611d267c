import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import type { WrappedKey } from '../store/ledger/messages.ts';
import type { KeyService } from './key-service.ts';
import { createRandomSource } from './random-source.ts';
import { SealFault } from './seal-fault.ts';
import { assertKeys, deriveKey, type SealingKey, secretKeyBytes } from './secret-key.ts';

const formatVersion = 1;
const nonceBytes = 12;
const tagBytes = 16;
const keyAt = 1 + nonceBytes;
const tagAt = keyAt + secretKeyBytes;
const wrappedBytes = tagAt + tagBytes;

/**
 * The key service over keys of a file: the first wraps, all unwrap. AES-256-GCM with a random 96-bit nonce and the
 * context as associated data; base64 of: version (1) · nonce (12) · encrypted key (32) · tag (16). Rotate before 2^32
 * wraps (NIST SP 800-38D, random nonces). Throws RangeError for keys that `assertKeys` refuses.
 */
export function createFileKeys(keys: readonly SealingKey[]): KeyService {
  assertKeys(keys);
  const wrapping = new Map<string, KeyObject>(keys.map(({ id, key }) => [id, createSecretKey(deriveKey(key, 'wrap'))]));
  const [first] = wrapping;
  if (first === undefined) throw new RangeError('at least one secret key is needed');
  const [keyId, inUse] = first;
  const fillRandom = createRandomSource();
  return {
    keyInUse: () => keyId,
    wrap(key, context) {
      const bytes = Buffer.allocUnsafe(wrappedBytes);
      bytes[0] = formatVersion;
      fillRandom(bytes, 1, nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', inUse, bytes.subarray(1, keyAt));
      cipher.setAAD(Buffer.from(context, 'utf8'));
      bytes.set(cipher.update(key), keyAt);
      cipher.final();
      bytes.set(cipher.getAuthTag(), tagAt);
      return { keyId, wrapped: bytes.toString('base64') };
    },
    unwrap: (wrapped, context) => open(wrapping.get(wrapped.keyId), wrapped, context),
  };
}

function open(key: KeyObject | undefined, { keyId, wrapped }: WrappedKey, context: string): Uint8Array {
  if (key === undefined) {
    const say = `${context}: its key is wrapped under key ${keyId}, which the secret key file does not hold`;
    throw new SealFault('unknown-key', say);
  }
  const bytes = Buffer.from(wrapped, 'base64');
  if (bytes.length !== wrappedBytes || bytes[0] !== formatVersion)
    throw new SealFault('malformed', `${context}: not a wrapped key of this version`);
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(1, keyAt), { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(context, 'utf8'));
  decipher.setAuthTag(bytes.subarray(tagAt));
  try {
    const opened = decipher.update(bytes.subarray(keyAt, tagAt));
    decipher.final();
    return opened;
  } catch {
    const say = `${context}: its key was changed since it was wrapped, or wrapped for another payload (key ${keyId})`;
    throw new SealFault('tampered', say);
  }
}
