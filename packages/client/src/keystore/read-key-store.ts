import { createPrivateKey, X509Certificate } from 'node:crypto';
import { type Credentials, type Identity, KeyStoreFault } from './credentials.ts';
import { isJks, readJks } from './jks.ts';
import { readPkcs12 } from './pkcs12.ts';

/** Contents of a key store in the order in which they lie there. Keys are PKCS#8, certificates X.509, both DER. */
export interface StoreContents {
  readonly keys: readonly { readonly pkcs8: Buffer; readonly chain: readonly Buffer[] }[];
  readonly trusted: readonly Buffer[];
}

/**
 * Reads a Java key store or a PKCS#12 file: the one key with its certificate, and every authority in it. Old encryption
 * that OpenSSL 3 refuses is read as well. Throws a KeyStoreFault.
 */
export function readKeyStore(bytes: Buffer, password: string): Credentials {
  const contents = isJks(bytes) ? readJks(bytes, password) : readPkcs12(bytes, password);
  if (contents.keys.length > 1)
    throw new KeyStoreFault('the key store holds several keys; keep the one of this client');
  const [entry] = contents.keys;
  const identity = entry === undefined ? undefined : identityOf(entry, contents.trusted);
  const own = new Set(identity?.chain.slice(0, 1));
  const authorities = [...(identity?.chain.slice(1) ?? []), ...contents.trusted.map(pemOf)];
  return { identity, authorities: [...new Set(authorities)].filter((pem) => !own.has(pem)) };
}

function identityOf({ pkcs8, chain }: StoreContents['keys'][number], others: readonly Buffer[]): Identity {
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const certificates = [...chain, ...others].map((der) => new X509Certificate(der));
  const own = certificates.find((certificate) => certificate.checkPrivateKey(key));
  if (own === undefined)
    throw new KeyStoreFault('the key store holds no certificate for its key: import the reply of the authority');
  const ordered: X509Certificate[] = [own];
  // Each certificate is followed by the one of its issuer, as far as the store has them; roots are left to the other side.
  for (let last = own; ordered.length < chainMax; ) {
    const issuer = certificates.find((each) => !ordered.includes(each) && last.checkIssued(each));
    if (issuer === undefined) break;
    ordered.push(issuer);
    last = issuer;
  }
  return {
    key: key.export({ format: 'pem', type: 'pkcs8' }).toString(),
    passphrase: undefined,
    chain: ordered.map(({ raw }) => pemOf(raw)),
  };
}

const chainMax = 10;

function pemOf(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
