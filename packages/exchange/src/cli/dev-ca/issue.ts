import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '../../http/tls/x509.ts';

/** A certificate and its private key (PKCS #8), as PEM text. */
export interface Issued {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** An authority that can sign. Made by `makeAuthority` or `openAuthority`. */
export interface Authority extends Issued {
  readonly certificate: x509.X509Certificate;
  readonly privateKey: webcrypto.CryptoKey;
}

/** From when until when, in milliseconds since 1970. */
export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export type KeyUse = 'clientAuth' | 'serverAuth';

export interface LeafRequest {
  readonly commonName: string;
  readonly validity: Validity;
  /** Empty: the certificate carries no extended key usage at all. */
  readonly uses: readonly KeyUse[];
  /** DNS names and IP addresses of the subject alternative name. */
  readonly names?: readonly string[];
}

export interface RevokedEntry {
  readonly serialHex: string;
  readonly revokedAtMs: number;
}

export interface ListRequest {
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  readonly revoked: readonly RevokedEntry[];
}

// P-256 keys are made in a millisecond, sign cheaply in the handshake, and every client of MESH reads them.
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const serialBytes = 16;

/** Makes a self-signed authority that may sign leaves only. `name` becomes its common name. */
export async function makeAuthority(name: string, validity: Validity): Promise<Authority> {
  const keys = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: makeSerial(),
    name: [{ CN: [name] }],
    notBefore: new Date(validity.notBeforeMs),
    notAfter: new Date(validity.notAfterMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const { privateKey } = keys;
  return { certificate, privateKey, certificatePem: toPem(certificate), keyPem: await keyToPem(privateKey) };
}

/** Reads an authority back. Throws when the texts are not a certificate and its P-256 key. */
export async function openAuthority({ certificatePem, keyPem }: Issued): Promise<Authority> {
  const certificate = new x509.X509Certificate(certificatePem);
  const der = x509.PemConverter.decodeFirst(keyPem);
  const privateKey = await webcrypto.subtle.importKey('pkcs8', der, algorithm, true, ['sign']);
  const probe = randomBytes(serialBytes);
  const signature = await webcrypto.subtle.sign(algorithm, privateKey, probe);
  const publicKey = await certificate.publicKey.export(algorithm, ['verify']);
  if (!(await webcrypto.subtle.verify(algorithm, publicKey, signature, probe))) {
    throw new Error('The key of the authority does not belong to its certificate.');
  }
  return { certificate, privateKey, certificatePem, keyPem };
}

/** Issues a leaf. It ends no later than the authority does, since a longer one would be refused all the same. */
export async function issueLeaf(authority: Authority, request: LeafRequest): Promise<Issued> {
  const keys = await makeKeys();
  const { commonName, validity, uses, names = [] } = request;
  const notAfterMs = Math.min(validity.notAfterMs, authority.certificate.notAfter.getTime());
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: makeSerial(),
    subject: [{ CN: [commonName] }],
    issuer: authority.certificate.subjectName,
    notBefore: new Date(validity.notBeforeMs),
    notAfter: new Date(notAfterMs),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: authority.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      ...(uses.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(uses.map((use) => x509.ExtendedKeyUsage[use]))]),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names.map(toGeneralName))]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority.certificate),
    ],
  });
  return { certificatePem: toPem(certificate), keyPem: await keyToPem(keys.privateKey) };
}

/** Signs a revocation list; answers its PEM text. */
export async function makeRevocationList(authority: Authority, request: ListRequest): Promise<string> {
  const list = await x509.X509CrlGenerator.create({
    issuer: authority.certificate.subjectName,
    thisUpdate: new Date(request.thisUpdateMs),
    nextUpdate: new Date(request.nextUpdateMs),
    entries: request.revoked.map(({ serialHex, revokedAtMs }) => ({
      serialNumber: serialHex,
      revocationDate: new Date(revokedAtMs),
    })),
    signingAlgorithm: algorithm,
    signingKey: authority.privateKey,
  });
  // The library's own label is not the one of RFC 7468, the only one OpenSSL reads.
  return `${x509.PemConverter.encode(list.rawData, 'X509 CRL')}\n`;
}

async function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

function makeSerial(): string {
  const bytes = randomBytes(serialBytes);
  // A serial is a positive integer without a leading zero byte: first bit clear, next bit set.
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function toGeneralName(name: string): x509.JsonGeneralName {
  return isIP(name) === 0 ? { type: 'dns', value: name } : { type: 'ip', value: name };
}

function toPem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}

async function keyToPem(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}
