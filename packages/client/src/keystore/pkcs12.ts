import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { KeyStoreFault } from './credentials.ts';
import { childOf, childrenOf, type Der, damaged, derTags, numberOf, octetsOf, oidOf, readDer } from './der.ts';
import { decrypt, deriveKey, passwordBytes } from './pkcs12-crypto.ts';
import type { StoreContents } from './read-key-store.ts';

const oids = {
  plain: '1.2.840.113549.1.7.1',
  encrypted: '1.2.840.113549.1.7.6',
  keyBag: '1.2.840.113549.1.12.10.1.1',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certificateBag: '1.2.840.113549.1.12.10.1.3',
  x509: '1.2.840.113549.1.9.22.1',
} as const;
const macDigests: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
const roundsMax = 10_000_000;

/** Reads a PKCS#12 file (RFC 7292) under one password. Throws a KeyStoreFault. */
export function readPkcs12(bytes: Buffer, password: string): StoreContents {
  const whole = readDer(bytes);
  if (whole.tag !== derTags.sequence) throw damaged();
  const [version, authSafe, mac] = childrenOf(whole);
  if (version === undefined || numberOf(version) !== 3 || authSafe === undefined) throw damaged();
  const content = contentOf(authSafe);
  if (mac !== undefined) checkMac(mac, content, password);
  const bags = childrenOf(readDer(content)).flatMap((info) => childrenOf(readDer(openInfo(info, password))));
  const keys: Buffer[] = [];
  const certificates: Buffer[] = [];
  for (const bag of bags) {
    const value = childOf(childOf(bag, 1, derTags.context0), 0);
    switch (oidOf(childOf(bag, 0))) {
      case oids.keyBag:
        keys.push(value.bytes);
        break;
      case oids.shroudedKeyBag:
        keys.push(decrypt(childOf(value, 0), octetsOf(childOf(value, 1)), password));
        break;
      case oids.certificateBag:
        if (oidOf(childOf(value, 0)) === oids.x509) certificates.push(octetsOf(childOf(childOf(value, 1), 0)));
        break;
      default:
      // Other bags hold nothing a client shows or trusts.
    }
  }
  // Nothing in the file says which of its certificates is the key's; the key itself tells.
  return { keys: keys.map((pkcs8) => ({ pkcs8, chain: certificates })), trusted: certificates };
}

/** The octets inside a ContentInfo that is not encrypted. */
function contentOf(info: Der): Buffer {
  if (oidOf(childOf(info, 0)) !== oids.plain)
    throw new KeyStoreFault('the key store is signed by a key; only passwords are known');
  return octetsOf(childOf(childOf(info, 1, derTags.context0), 0));
}

function openInfo(info: Der, password: string): Buffer {
  if (oidOf(childOf(info, 0)) !== oids.encrypted) return contentOf(info);
  const encrypted = childOf(childOf(childOf(info, 1, derTags.context0), 0), 1);
  const [, algorithm, octets] = childrenOf(encrypted);
  if (algorithm === undefined || octets === undefined) throw damaged();
  return decrypt(algorithm, octetsOf(octets), password);
}

/** A wrong password shows here, before anything is decrypted with it. */
function checkMac(mac: Der, content: Buffer, password: string): void {
  const [info, salt, rounds] = childrenOf(mac);
  if (info === undefined || salt === undefined) throw damaged();
  const digest = macDigests[oidOf(childOf(childOf(info, 0), 0))];
  if (digest === undefined) throw new KeyStoreFault('the key store is protected by a digest this client does not know');
  const iterations = rounds === undefined ? 1 : numberOf(rounds);
  if (iterations < 1 || iterations > roundsMax) throw damaged();
  const expected = octetsOf(childOf(info, 1));
  const length = createHash(digest).digest().length;
  const key = deriveKey({ digest, password: passwordBytes(password), salt: octetsOf(salt), id: 3, iterations, length });
  const found = createHmac(digest, key).update(content).digest();
  if (found.length !== expected.length || !timingSafeEqual(found, expected)) {
    throw new KeyStoreFault('the password of the key store is wrong, or the store was changed');
  }
}
