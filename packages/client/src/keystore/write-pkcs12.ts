import { createHash, createHmac, createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { type Credentials, KeyStoreFault } from './credentials.ts';
import { derTags } from './der.ts';
import { deriveKey, passwordBytes } from './pkcs12-crypto.ts';

const oids = {
  plain: '1.2.840.113549.1.7.1',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certificateBag: '1.2.840.113549.1.12.10.1.3',
  x509: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
  /** Java takes a certificate for an authority only where it carries this. */
  trustedKeyUsage: '2.16.840.1.113894.746875.1.1',
  anyUsage: '2.5.29.37.0',
  sha256: '2.16.840.1.101.3.4.2.1',
} as const;
const macIterations = 100_000;
const saltBytes = 16;
const bmpString = 0x1e;

/**
 * A PKCS#12 file (RFC 7292) as today's programs read it: the key under AES-256 and PBKDF2, the whole under an HMAC with
 * SHA-256. Certificates are public and lie in it as they are. `name` is the alias that Java shows.
 */
export function writePkcs12({ identity, authorities }: Credentials, password: string, name: string): Buffer {
  const [own] = identity?.chain ?? [];
  if (identity === undefined || own === undefined) throw new KeyStoreFault('there is no key to write');
  const { key, passphrase } = identity;
  const ownDer = derOf(own);
  const keyId = createHash('sha1').update(ownDer).digest();
  const encryptedKey = createPrivateKey({ key, passphrase }).export({
    format: 'der',
    type: 'pkcs8',
    cipher: 'aes-256-cbc',
    passphrase: password,
  });
  const link = [attribute(oids.friendlyName, bmp(name)), attribute(oids.localKeyId, octets(keyId))];
  const chain = identity.chain.slice(1).filter((pem) => !authorities.includes(pem));
  const bags = [
    bag(oids.shroudedKeyBag, encryptedKey, link),
    certificateBag(ownDer, link),
    ...chain.map((pem) => certificateBag(derOf(pem), [])),
    ...authorities.map((pem, index) =>
      certificateBag(derOf(pem), [
        attribute(oids.friendlyName, bmp(`authority ${index + 1}`)),
        attribute(oids.trustedKeyUsage, oid(oids.anyUsage)),
      ]),
    ),
  ];
  const content = sequence(plainInfo(sequence(...bags)));
  return sequence(integer(3), plainInfo(content), macOf(content, password));
}

function derOf(pem: string): Buffer {
  return new X509Certificate(pem).raw;
}

function macOf(content: Buffer, password: string): Buffer {
  const salt = randomBytes(saltBytes);
  const from = { digest: 'sha256', password: passwordBytes(password), salt, iterations: macIterations };
  const digest = createHmac('sha256', deriveKey({ ...from, id: 3, length: 32 }))
    .update(content)
    .digest();
  const algorithm = sequence(oid(oids.sha256), tagged(derTags.nothing, Buffer.alloc(0)));
  return sequence(sequence(algorithm, octets(digest)), octets(salt), integer(macIterations));
}

function plainInfo(content: Buffer): Buffer {
  return sequence(oid(oids.plain), tagged(derTags.context0, octets(content)));
}

function certificateBag(der: Buffer, attributes: readonly Buffer[]): Buffer {
  return bag(oids.certificateBag, sequence(oid(oids.x509), tagged(derTags.context0, octets(der))), attributes);
}

function bag(kind: string, value: Buffer, attributes: readonly Buffer[]): Buffer {
  const set =
    attributes.length === 0
      ? []
      : [tagged(derTags.set, ...[...attributes].sort((one, other) => Buffer.compare(one, other)))];
  return sequence(oid(kind), tagged(derTags.context0, value), ...set);
}

function attribute(kind: string, value: Buffer): Buffer {
  return sequence(oid(kind), tagged(derTags.set, value));
}

function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  const digits = content.length.toString(16);
  const length = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(derTags.sequence, ...parts);
}

function octets(bytes: Buffer): Buffer {
  return tagged(derTags.octetString, bytes);
}

function bmp(text: string): Buffer {
  return tagged(bmpString, Buffer.from(text, 'utf16le').swap16());
}

/** A number that is not negative: a first bit that is set would make it so. */
function integer(value: number): Buffer {
  const digits = value.toString(16);
  const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  const first = bytes[0] ?? 0;
  return tagged(derTags.integer, first >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tagged(derTags.oid, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

function base128(value: number): readonly number[] {
  const digits = [value & 0x7f];
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128))
    digits.unshift((left & 0x7f) | 0x80);
  return digits;
}
