import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { open } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { emptyRevocationList, type RevocationList, readRevocationList } from './revocation-list.ts';
import { TlsFault } from './tls-fault.ts';

/** Paths of PEM files. */
export interface TlsFiles {
  /** The server certificate first, then the intermediates it needs. */
  readonly certificateFile: string;
  /** Unencrypted private key. */
  readonly keyFile: string;
  /** Authorities whose client certificates are accepted; needed for mutual TLS. */
  readonly caFile?: string | undefined;
  /** Revocation lists, one of each authority. */
  readonly crlFile?: string | undefined;
  /** Secret bytes, as hex or base64, that nodes share to resume each other's sessions. */
  readonly ticketKeyFile?: string | undefined;
}

/** Files read and found to fit together. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  readonly ca: readonly string[] | undefined;
  readonly crl: readonly string[] | undefined;
  readonly revocationList: RevocationList;
  readonly ticketSeed: Buffer | undefined;
  readonly certificateNotAfterMs: number;
}

// An authority with 100,000 revoked certificates has a list of about 5 MB.
const fileBytesMax = 64 * 1024 * 1024;
const ticketSeedBytes = 48;

/**
 * Reads every file and checks them against each other, so that a mistake shows before a listener depends on it.
 * Throws `TlsFault`; the texts name files and kinds of mistake, never what a file holds.
 */
export async function readTlsMaterial(files: TlsFiles, nowMs: number): Promise<TlsMaterial> {
  const { certificateFile, keyFile, caFile, crlFile, ticketKeyFile } = files;
  const cert = await readText(certificateFile);
  const key = await readText(keyFile);
  const leaf = readCertificates(certificateFile, cert)[0]?.certificate;
  if (leaf === undefined) throw new TlsFault('malformed', certificateFile, `${certificateFile} holds no certificate.`);
  if (!leaf.checkPrivateKey(readKey(keyFile, key))) {
    throw new TlsFault('key-mismatch', keyFile, `${keyFile} is not the key of the certificate in ${certificateFile}.`);
  }
  const certificateNotAfterMs = leaf.validToDate.getTime();
  if (certificateNotAfterMs <= nowMs) {
    const since = leaf.validToDate.toISOString();
    throw new TlsFault('expired', certificateFile, `${certificateFile}: the certificate expired at ${since}.`);
  }
  const ca = caFile === undefined ? undefined : await readAuthorities(caFile);
  const crl = crlFile === undefined ? undefined : await readLists(crlFile);
  const revocationList =
    crl === undefined || crlFile === undefined
      ? emptyRevocationList
      : await readRevocationList(crlFile, crl, ca ?? [], nowMs);
  const ticketSeed = ticketKeyFile === undefined ? undefined : await readTicketSeed(ticketKeyFile);
  try {
    createSecureContext({ cert, key, ...(ca && { ca: [...ca] }), ...(crl && { crl: [...crl] }) });
  } catch (cause) {
    throw new TlsFault('unusable', certificateFile, `${certificateFile} and its key cannot be served with.`, { cause });
  }
  return { cert, key, ca, crl, revocationList, ticketSeed, certificateNotAfterMs };
}

async function readAuthorities(file: string): Promise<readonly string[]> {
  const found = readCertificates(file, await readText(file));
  if (found.length === 0) throw new TlsFault('malformed', file, `${file} holds no certificate.`);
  const leaf = found.find(({ certificate }) => !certificate.ca);
  if (leaf !== undefined) {
    throw new TlsFault('malformed', file, `${file} holds a certificate that is not an authority's.`);
  }
  return found.map(({ pem }) => pem);
}

async function readLists(file: string): Promise<readonly string[]> {
  const lists = pemBlocks(await readText(file), 'X509 CRL');
  if (lists.length === 0) throw new TlsFault('malformed', file, `${file} holds no revocation list.`);
  return lists;
}

async function readTicketSeed(file: string): Promise<Buffer> {
  const text = (await readText(file)).trim();
  const seed = Buffer.from(text, /^[0-9a-f]+$/i.test(text) && text.length === ticketSeedBytes * 2 ? 'hex' : 'base64');
  if (seed.length !== ticketSeedBytes) {
    throw new TlsFault('malformed', file, `${file} does not hold ${ticketSeedBytes} bytes as hex or base64.`);
  }
  return seed;
}

function readCertificates(file: string, text: string): { pem: string; certificate: X509Certificate }[] {
  return pemBlocks(text, 'CERTIFICATE').map((pem) => {
    try {
      return { pem, certificate: new X509Certificate(pem) };
    } catch (cause) {
      throw new TlsFault('malformed', file, `${file} holds a broken certificate.`, { cause });
    }
  });
}

function readKey(file: string, text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch {
    // Without the cause: its text might quote the file.
    throw new TlsFault('malformed', file, `${file} holds no private key that can be read without a password.`);
  }
}

function pemBlocks(text: string, label: string): string[] {
  const pattern = new RegExp(`-----BEGIN ${label}-----[A-Za-z0-9+/=\\s]+-----END ${label}-----`, 'g');
  return text.match(pattern) ?? [];
}

async function readText(file: string): Promise<string> {
  try {
    await using handle = await open(file);
    const { size } = await handle.stat();
    if (size > fileBytesMax) throw new Error(`larger than ${fileBytesMax} bytes`);
    return await handle.readFile('latin1');
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new TlsFault('unreadable', file, `${file} cannot be read: ${why}.`, { cause });
  }
}
