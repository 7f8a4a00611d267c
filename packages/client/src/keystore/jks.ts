import { createHash, timingSafeEqual } from 'node:crypto';
import { KeyStoreFault } from './credentials.ts';
import { childOf, damaged, derTags, octetsOf, oidOf, readDer } from './der.ts';
import type { StoreContents } from './read-key-store.ts';

const jksMagic = 0xfeedfeed;
const jceksMagic = 0xcececece;
const digestBytes = 20;
const entriesMax = 1000;
/** The protection that Sun gave private keys: a key stream of SHA-1 over password and the digest before. */
const sunProtection = '1.3.6.1.4.1.42.2.17.1.1';

export function isJks(bytes: Buffer): boolean {
  const magic = bytes.length >= 4 ? bytes.readUInt32BE(0) : 0;
  if (magic === jceksMagic) {
    throw new KeyStoreFault(
      'the key store is of kind JCEKS; convert it: keytool -importkeystore -deststoretype PKCS12',
    );
  }
  return magic === jksMagic;
}

/** Reads a Java key store, version 1 or 2, whose keys have the password of the store. Throws a KeyStoreFault. */
export function readJks(bytes: Buffer, password: string): StoreContents {
  checkDigest(bytes, password);
  const reader = new JksReader(bytes.subarray(4, -digestBytes));
  const version = reader.uint32();
  const count = reader.uint32();
  if ((version !== 1 && version !== 2) || count > entriesMax) throw damaged();
  const keys: { pkcs8: Buffer; chain: Buffer[] }[] = [];
  const trusted: Buffer[] = [];
  for (let entry = 0; entry < count; entry += 1) {
    const tag = reader.uint32();
    reader.skipEntryName();
    if (tag === 1) {
      const pkcs8 = unprotect(reader.sized(), password);
      const length = reader.uint32();
      if (length > entriesMax) throw damaged();
      keys.push({ pkcs8, chain: Array.from({ length }, () => reader.certificate(version)) });
    } else if (tag === 2) {
      trusted.push(reader.certificate(version));
    } else {
      throw damaged();
    }
  }
  return { keys, trusted };
}

/** The store ends with a digest over password, a phrase, and everything before: a wrong password shows here. */
function checkDigest(bytes: Buffer, password: string): void {
  if (bytes.length < 12 + digestBytes) throw damaged();
  const digest = createHash('sha1')
    .update(utf16(password))
    .update('Mighty Aphrodite', 'latin1')
    .update(bytes.subarray(0, -digestBytes))
    .digest();
  if (!timingSafeEqual(digest, bytes.subarray(-digestBytes))) {
    throw new KeyStoreFault('the password of the key store is wrong, or the store was changed');
  }
}

/** Java's strings, two bytes a character, the higher first. */
function utf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}

function unprotect(encrypted: Buffer, password: string): Buffer {
  const whole = readDer(encrypted);
  if (oidOf(childOf(childOf(whole, 0, derTags.sequence), 0)) !== sunProtection) throw damaged();
  const octets = octetsOf(childOf(whole, 1, derTags.octetString));
  if (octets.length <= 2 * digestBytes) throw damaged();
  const secret = utf16(password);
  const key = Buffer.from(octets.subarray(digestBytes, -digestBytes));
  let stream: Buffer = octets.subarray(0, digestBytes);
  for (let at = 0; at < key.length; at += digestBytes) {
    stream = createHash('sha1').update(secret).update(stream).digest();
    const end = Math.min(at + digestBytes, key.length);
    for (let index = at; index < end; index += 1) key.writeUInt8((key[index] ?? 0) ^ (stream[index - at] ?? 0), index);
  }
  const check = createHash('sha1').update(secret).update(key).digest();
  if (!timingSafeEqual(check, octets.subarray(-digestBytes))) {
    throw new KeyStoreFault(
      'the key in the store has another password than the store; give both the same (keytool -keypasswd)',
    );
  }
  return key;
}

class JksReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  uint32(): number {
    return this.#take(4).readUInt32BE(0);
  }

  sized(): Buffer {
    return this.#take(this.uint32());
  }

  /** Alias and date of an entry. */
  skipEntryName(): void {
    this.#text();
    this.#take(8);
  }

  certificate(version: number): Buffer {
    if (version === 2 && this.#text() !== 'X.509') throw damaged();
    return this.sized();
  }

  #text(): string {
    return this.#take(this.#take(2).readUInt16BE(0)).toString('utf8');
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw damaged();
    const piece = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return piece;
  }
}
