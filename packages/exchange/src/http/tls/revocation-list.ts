import { X509Certificate } from 'node:crypto';
import { TlsFault } from './tls-fault.ts';

/** Certificates an authority took back, in the form the check of each request looks up. */
export interface RevocationList {
  /** Keys of `serialKey`. */
  readonly serials: ReadonlySet<string>;
  /** When the first of the lists in the file must have been replaced; Infinity when none says. */
  readonly nextUpdateMs: number;
}

export const emptyRevocationList: RevocationList = { serials: new Set(), nextUpdateMs: Number.POSITIVE_INFINITY };

/** One text for issuer and serial, whatever leading zeros and case the two were written with. `issuer` as Node prints it. */
export function serialKey(issuer: string, serialHex: string): string {
  return `${issuer}#${serialHex.toUpperCase().replace(/^0+(?=.)/, '')}`;
}

/**
 * Reads the lists of one PEM file and checks each signature against the authorities. OpenSSL, told to check revocation,
 * wants a current list from every authority of a chain; what it would then refuse at each handshake is refused here once.
 * Throws `TlsFault`.
 */
export async function readRevocationList(
  file: string,
  listPems: readonly string[],
  authorityPems: readonly string[],
  nowMs: number,
): Promise<RevocationList> {
  const { PemConverter, X509Certificate: Certificate, X509Crl } = await import('./x509.ts');
  const authorities = authorityPems.map((pem) => ({
    subject: new X509Certificate(pem).subject,
    certificate: new Certificate(pem),
    hasList: false,
  }));
  const serials = new Set<string>();
  let nextUpdateMs = Number.POSITIVE_INFINITY;
  for (const pem of listPems) {
    const list = parse(() => new X509Crl(PemConverter.decodeFirst(pem)), file);
    let issuer: (typeof authorities)[number] | undefined;
    for (const authority of authorities) {
      if (authority.certificate.subject !== list.issuer) continue;
      if (await list.verify({ publicKey: authority.certificate }).catch(() => false)) issuer = authority;
    }
    if (issuer === undefined) {
      throw new TlsFault('revocation-list-untrusted', file, `${file}: no authority of the bundle signed this list.`);
    }
    issuer.hasList = true;
    for (const entry of list.entries) serials.add(serialKey(issuer.subject, entry.serialNumber));
    if (list.nextUpdate !== undefined) nextUpdateMs = Math.min(nextUpdateMs, list.nextUpdate.getTime());
  }
  if (nextUpdateMs <= nowMs) {
    const since = new Date(nextUpdateMs).toISOString();
    throw new TlsFault('revocation-list-expired', file, `${file}: the list had to be replaced by ${since}.`);
  }
  const bare = authorities.find((authority) => !authority.hasList);
  if (bare !== undefined) {
    const name = bare.subject.replaceAll('\n', ', ');
    throw new TlsFault('revocation-list-incomplete', file, `${file}: there is no list of the authority "${name}".`);
  }
  return { serials, nextUpdateMs };
}

function parse<T>(read: () => T, file: string): T {
  try {
    return read();
  } catch (cause) {
    throw new TlsFault('malformed', file, `${file} holds a broken revocation list.`, { cause });
  }
}
