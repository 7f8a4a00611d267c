import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomFillSync,
} from 'node:crypto';
import { createKeyedHash } from './keyed-hash.ts';

/** A 32-byte secret with the name under which sealed texts remember it. */
export interface SealingKey {
  /** 1–32 characters of A–Z a–z 0–9 . _ - */
  readonly id: string;
  readonly key: Uint8Array;
}

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
}

export type SealFaultKind =
  /** Not something `seal` ever made. */
  | 'malformed'
  /** Sealed under a key that is not in the key file. */
  | 'unknown-key'
  /** Changed since it was sealed, moved from another record, or sealed under another key of the same name. */
  | 'tampered';

/** Carries the context and the key's name; never the text, the sealed bytes or the key. */
export class SealFault extends Error {
  readonly kind: SealFaultKind;
  constructor(kind: SealFaultKind, message: string) {
    super(message);
    this.name = 'SealFault';
    this.kind = kind;
  }
}

const formatVersion = 1;
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const lookupLength = 24;
const keyIdPattern = /^[A-Za-z0-9._-]{1,32}$/;

interface PreparedKey {
  readonly id: string;
  readonly sealing: KeyObject;
  readonly lookup: (message: string) => string;
  readonly header: Uint8Array;
}

/**
 * One purpose, one key: a digest can never be mistaken for, or help against, a sealed text. A KeyObject, because
 * Node 24 spends 20 µs on each use of raw key bytes and 2 µs on a prepared key.
 */
function deriveKey(key: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, new Uint8Array(0), `openmesh ${purpose} v1`, keyBytes));
}

function prepareKey({ id, key }: SealingKey): PreparedKey {
  if (!keyIdPattern.test(id)) throw new RangeError(`key id ${JSON.stringify(id)} is not 1-32 of A-Z a-z 0-9 . _ -`);
  if (key.byteLength !== keyBytes) throw new RangeError(`key ${id} has ${key.byteLength} bytes and needs ${keyBytes}`);
  const header = Buffer.concat([Buffer.from([formatVersion, id.length]), Buffer.from(id, 'latin1')]);
  return {
    id,
    sealing: createSecretKey(deriveKey(key, 'seal')),
    lookup: createKeyedHash(deriveKey(key, 'lookup'), 'base64url'),
    header,
  };
}

/** Random bytes are drawn 341 nonces at a time, because one draw costs more than one encryption. */
function createNonceSource(): (into: Buffer, offset: number) => void {
  const pool = Buffer.allocUnsafe(nonceBytes * 341);
  let next = pool.length;
  return (into, offset) => {
    if (next === pool.length) {
      randomFillSync(pool);
      next = 0;
    }
    pool.copy(into, offset, next, next + nonceBytes);
    next += nonceBytes;
  };
}

function sealUnder(key: PreparedKey, fillNonce: (into: Buffer, offset: number) => void, text: string, context: string) {
  const start = key.header.length;
  const bodyStart = start + nonceBytes;
  const textBytes = Buffer.byteLength(text, 'utf8');
  const sealed = Buffer.allocUnsafe(bodyStart + textBytes + tagBytes);
  sealed.set(key.header, 0);
  fillNonce(sealed, start);
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
  const prepared = keys.map(prepareKey);
  const [first] = prepared;
  if (first === undefined) throw new RangeError('a sealer needs at least one key');
  const byId = new Map(prepared.map((key) => [key.id, key]));
  if (byId.size !== prepared.length) throw new RangeError('two sealing keys share a name');
  const fillNonce = createNonceSource();
  return {
    seal: (text, context) => sealUnder(first, fillNonce, text, context),
    open: (sealed, context) => openWith(byId, sealed, context),
    lookupKey: (text, scope) => digest(first, text, scope),
    lookupKeys: (text, scope) => prepared.map((key) => digest(key, text, scope)),
  };
}

/** Associated data of a sealed password: a credential's row copied to another mailbox does not open. */
export function credentialContext(credentialId: string): string {
  return `credential:${credentialId}`;
}

/** Associated data of a message's sealed header texts. */
export function messageContext(messageId: string): string {
  return `message:${messageId}`;
}
