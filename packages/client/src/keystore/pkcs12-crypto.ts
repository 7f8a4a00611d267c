import { createDecipheriv, createHash, pbkdf2Sync } from 'node:crypto';
import { KeyStoreFault } from './credentials.ts';
import { childOf, childrenOf, type Der, damaged, numberOf, octetsOf, oidOf } from './der.ts';
import { decryptRc2 } from './rc2.ts';

interface OldScheme {
  readonly cipher: 'des-ede3-cbc' | 'rc2';
  readonly keyBytes: number;
}

/** Password schemes of PKCS#12 itself: what keytool and OpenSSL wrote for twenty years. */
const oldSchemes: Readonly<Record<string, OldScheme>> = {
  '1.2.840.113549.1.12.1.3': { cipher: 'des-ede3-cbc', keyBytes: 24 },
  '1.2.840.113549.1.12.1.5': { cipher: 'rc2', keyBytes: 16 },
  '1.2.840.113549.1.12.1.6': { cipher: 'rc2', keyBytes: 5 },
};
const pbes2 = '1.2.840.113549.1.5.13';
const pbkdf2 = '1.2.840.113549.1.5.12';
const macs: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};
const ciphers: Readonly<Record<string, { readonly name: string; readonly keyBytes: number }>> = {
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', keyBytes: 24 },
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyBytes: 24 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', keyBytes: 32 },
};
const roundsMax = 10_000_000;
const ivBytes = 8;

/** Opens what an algorithm of PKCS#5 or PKCS#12 closed. Throws a KeyStoreFault for any other, and for a wrong password. */
export function decrypt(algorithm: Der, encrypted: Buffer, password: string): Buffer {
  const [name, parameters] = childrenOf(algorithm);
  if (name === undefined || parameters === undefined) throw damaged();
  const oid = oidOf(name);
  try {
    const old = oldSchemes[oid];
    if (old !== undefined) return decryptOld(old, parameters, encrypted, password);
    if (oid === pbes2) return decryptNew(parameters, encrypted, password);
  } catch (error) {
    if (error instanceof KeyStoreFault) throw error;
    throw new KeyStoreFault('the key store cannot be opened with its password', { cause: error });
  }
  throw new KeyStoreFault(`the key store is encrypted by an algorithm this client does not know (${oid})`);
}

function decryptOld({ cipher, keyBytes }: OldScheme, parameters: Der, encrypted: Buffer, password: string): Buffer {
  const salt = octetsOf(childOf(parameters, 0));
  const iterations = rounds(childOf(parameters, 1));
  const from = { digest: 'sha1', password: passwordBytes(password), salt, iterations };
  const key = deriveKey({ ...from, id: 1, length: keyBytes });
  const iv = deriveKey({ ...from, id: 2, length: ivBytes });
  if (cipher === 'rc2') return decryptRc2(key, iv, encrypted);
  const decipher = createDecipheriv(cipher, key, iv);
  return Buffer.concat([decipher.update(encrypted), decipher.final()]);
}

function decryptNew(parameters: Der, encrypted: Buffer, password: string): Buffer {
  const derivation = childOf(parameters, 0);
  const scheme = childOf(parameters, 1);
  const cipher = ciphers[oidOf(childOf(scheme, 0))];
  if (oidOf(childOf(derivation, 0)) !== pbkdf2 || cipher === undefined) throw damaged();
  const [salt, count, ...rest] = childrenOf(childOf(derivation, 1));
  if (salt === undefined || count === undefined) throw damaged();
  // A number among the rest is the length of the key, which the cipher knows; a sequence names the digest.
  const named = rest.find(({ tag }) => tag === 0x30);
  const digest = named === undefined ? 'sha1' : macs[oidOf(childOf(named, 0))];
  if (digest === undefined) throw damaged();
  const key = pbkdf2Sync(password, octetsOf(salt), rounds(count), cipher.keyBytes, digest);
  const decipher = createDecipheriv(cipher.name, key, octetsOf(childOf(scheme, 1)));
  return Buffer.concat([decipher.update(encrypted), decipher.final()]);
}

function rounds(element: Der): number {
  const count = numberOf(element);
  if (count < 1 || count > roundsMax) throw damaged();
  return count;
}

/** As PKCS#12 wants it: two bytes a character, the higher first, and two zeros at the end. */
export function passwordBytes(password: string): Buffer {
  return Buffer.concat([Buffer.from(password, 'utf16le').swap16(), Buffer.alloc(2)]);
}

export interface Derivation {
  readonly digest: string;
  readonly password: Buffer;
  readonly salt: Buffer;
  /** 1 for a key, 2 for a first block, 3 for a key of a digest. */
  readonly id: 1 | 2 | 3;
  readonly iterations: number;
  readonly length: number;
}

/** Key derivation of RFC 7292, appendix B.2. */
export function deriveKey({ digest, password, salt, id, iterations, length }: Derivation): Buffer {
  const block = digest === 'sha384' || digest === 'sha512' ? 128 : 64;
  const diversifier = Buffer.alloc(block, id);
  const input = Buffer.concat([repeated(salt, block), repeated(password, block)]);
  const pieces: Buffer[] = [];
  for (let got = 0; got < length; ) {
    let hash = createHash(digest).update(diversifier).update(input).digest();
    for (let round = 1; round < iterations; round += 1) hash = createHash(digest).update(hash).digest();
    pieces.push(hash);
    got += hash.length;
    addOne(input, repeated(hash, block).subarray(0, block));
  }
  return Buffer.concat(pieces).subarray(0, length);
}

/** As often as it takes to fill whole blocks; nothing stays nothing. */
function repeated(bytes: Buffer, block: number): Buffer {
  if (bytes.length === 0) return bytes;
  return Buffer.alloc(Math.ceil(bytes.length / block) * block, bytes);
}

/** Adds a block and one to each block of `input`, as numbers with the highest byte first. */
function addOne(input: Buffer, block: Buffer): void {
  for (let from = 0; from < input.length; from += block.length) {
    let carry = 1;
    for (let at = block.length - 1; at >= 0; at -= 1) {
      const sum = (input[from + at] ?? 0) + (block[at] ?? 0) + carry;
      input[from + at] = sum & 0xff;
      carry = sum >> 8;
    }
  }
}
