import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { type KeysAtHand, madeOf, openingWith } from '../keys/keys-at-hand.ts';
import { createRandomSource, type RandomSource } from '../keys/random-source.ts';
import { SealFault } from '../keys/seal-fault.ts';
import { assertKeys, deriveKey, keyIdPattern, type SealingKey } from '../keys/secret-key.ts';
import { createKeyedHash } from './keyed-hash.ts';

export { SealFault, type SealFaultKind } from '../keys/seal-fault.ts';
export type { SealingKey } from '../keys/secret-key.ts';

export interface Sealer {
  /**
   * Seals a text under the first key: AES-256-GCM with a random 96-bit nonce and `context` as associated data. Answers
   * base64 of: version (1) · length of key id (1) · key id · nonce (12) · ciphertext · tag (16).
   */
  readonly seal: (text: string, context: string) => string;
  /** Opens what `seal` made under any of the keys. Throws `SealFault`. */
  readonly open: (sealed: string, context: string) => string;
  /**
   * Keyed digest by which a text is found again without being stored: 24 base64url characters (144 bits) of
   * HMAC-SHA256. Equal texts in different scopes have unrelated digests.
   */
  readonly lookupKey: (text: string, scope: string) => string;
  /** `lookupKey` under every key, the sealing key's first: what to search for while an older key is still in use. */
  readonly lookupKeys: (text: string, scope: string) => readonly string[];
  /** The name of the key that seals. */
  readonly keyInUse: () => string;
}

const formatVersion = 1;
const nonceBytes = 12;
const tagBytes = 16;
const lookupLength = 24;

interface PreparedKey {
  readonly id: string;
  readonly sealing: KeyObject;
  readonly lookup: (message: string) => string;
  readonly header: Uint8Array;
}

/** A KeyObject, because Node 24 spends 20 µs on each use of raw key bytes and 2 µs on a prepared key. */
function prepareKey({ id, key }: SealingKey): PreparedKey {
  const header = Buffer.concat([Buffer.from([formatVersion, id.length]), Buffer.from(id, 'latin1')]);
  return {
    id,
    sealing: createSecretKey(deriveKey(key, 'seal')),
    lookup: createKeyedHash(deriveKey(key, 'lookup'), 'base64url'),
    header,
  };
}

function sealUnder(key: PreparedKey, fillRandom: RandomSource, text: string, context: string) {
  const start = key.header.length;
  const bodyStart = start + nonceBytes;
  const textBytes = Buffer.byteLength(text, 'utf8');
  const sealed = Buffer.allocUnsafe(bodyStart + textBytes + tagBytes);
  sealed.set(key.header, 0);
  fillRandom(sealed, start, nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key.sealing, sealed.subarray(start, bodyStart));
  cipher.setAAD(Buffer.from(context, 'utf8'));
  sealed.set(cipher.update(text, 'utf8'), bodyStart);
  cipher.final();
  sealed.set(cipher.getAuthTag(), bodyStart + textBytes);
  return sealed.toString('base64');
}

function openWith(keys: ReadonlyMap<string, PreparedKey>, sealed: string, context: string): string {
  const bytes = Buffer.from(sealed, 'base64');
  const idLength = bytes[1] ?? 0;
  const start = 2 + idLength;
  const id = bytes.toString('latin1', 2, start);
  const wellFormed =
    bytes[0] === formatVersion && bytes.length >= start + nonceBytes + tagBytes && keyIdPattern.test(id);
  // Node reads past what is not base64, so only the spelling that `seal` writes is taken.
  if (!wellFormed || bytes.toString('base64') !== sealed) {
    throw new SealFault('malformed', `${context}: not a sealed text of this version`);
  }
  const key = keys.get(id);
  if (key === undefined) {
    throw new SealFault('unknown-key', `${context}: sealed under key ${id}, which the secret key file does not hold`);
  }
  const bodyStart = start + nonceBytes;
  const tagStart = bytes.length - tagBytes;
  const decipher = createDecipheriv('aes-256-gcm', key.sealing, bytes.subarray(start, bodyStart), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(Buffer.from(context, 'utf8'));
  decipher.setAuthTag(bytes.subarray(tagStart));
  try {
    return decipher.update(bytes.subarray(bodyStart, tagStart), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    throw new SealFault(
      'tampered',
      `${context}: changed since it was sealed, or sealed for another record (key ${id})`,
    );
  }
}

/** The scope's length goes first, so that no scope and text can be read as another pair. */
function digest(key: PreparedKey, text: string, scope: string): string {
  return key.lookup(`${scope.length}:${scope}${text}`).slice(0, lookupLength);
}

/**
 * Makes a sealer. The first key seals and digests, all keys open: put a new key first to rotate, and drop the old one
 * when nothing sealed under it is kept any more. Rotate before 2^32 seals (NIST SP 800-38D, random nonces): about
 * five years of a national service's messages.
 * Throws RangeError when there is no key, a key is not 32 bytes, or two keys share a name.
 */
export function createSealer(keys: readonly SealingKey[]): Sealer {
  assertKeys(keys);
  const prepared = keys.map(prepareKey);
  const [first] = prepared;
  if (first === undefined) throw new RangeError('a sealer needs at least one key');
  const byId = new Map(prepared.map((key) => [key.id, key]));
  const fillRandom = createRandomSource();
  return {
    seal: (text, context) => sealUnder(first, fillRandom, text, context),
    open: (sealed, context) => openWith(byId, sealed, context),
    lookupKey: (text, scope) => digest(first, text, scope),
    lookupKeys: (text, scope) => prepared.map((key) => digest(key, text, scope)),
    keyInUse: () => first.id,
  };
}

/** A sealer over keys that may change while it runs. */
export function sealWithKeys(atHand: KeysAtHand): Sealer {
  const sealer = madeOf(atHand, createSealer);
  return {
    seal: (text, context) => sealer().seal(text, context),
    open: (sealed, context) => openingWith(atHand, () => sealer().open(sealed, context)),
    lookupKey: (text, scope) => sealer().lookupKey(text, scope),
    lookupKeys: (text, scope) => sealer().lookupKeys(text, scope),
    keyInUse: () => sealer().keyInUse(),
  };
}

/** A name of 16 characters, as keys of a file have, ends with the 18th byte. */
const beginningLength = 24;

/** How every text sealed under this key begins, and none sealed under another whose name is as long, 16 characters. */
export function beginningUnder(keyId: string): string {
  const header = Buffer.concat([Buffer.from([formatVersion, keyId.length]), Buffer.from(keyId, 'latin1')]);
  return header.toString('base64').slice(0, beginningLength);
}

/** The name of the key that a text is sealed under, by its beginning or all of it; undefined for what is no such text. */
export function keyIdOf(beginning: string): string | undefined {
  const bytes = Buffer.from(beginning.slice(0, beginningLength), 'base64');
  const id = bytes.toString('latin1', 2, 2 + (bytes[1] ?? 0));
  return bytes[0] === formatVersion && id.length === bytes[1] && keyIdPattern.test(id) ? id : undefined;
}

/** Associated data of a sealed password: a credential's row copied to another mailbox does not open. */
export function credentialContext(credentialId: string): string {
  return `credential:${credentialId}`;
}

/** Associated data of a sealed key of the token hash. */
export function sharedKeyContext(sharedKeyId: string): string {
  return `shared-key:${sharedKeyId}`;
}

/** Associated data of a message's sealed header texts. */
export function messageContext(messageId: string): string {
  return `message:${messageId}`;
}
