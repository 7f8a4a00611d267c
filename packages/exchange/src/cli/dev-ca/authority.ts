import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { formatCommonName } from '../../http/auth/certificate-subject.ts';
import {
  type CertificatePaths,
  certificatePaths,
  FolderFault,
  openFolder,
  readPair,
  writePair,
  writePublic,
} from './certificate-folder.ts';
import {
  type Authority,
  issueLeaf,
  type KeyUse,
  makeAuthority,
  makeRevocationList,
  openAuthority,
  type Validity,
} from './issue.ts';

export interface DevAuthorityOptions {
  readonly folder: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** How long issued certificates are valid; the authority itself lasts ten years. */
  readonly days?: number;
}

/** A pair of files, and whether this call wrote them or found them there. */
export interface IssuedFiles extends CertificatePaths {
  readonly made: boolean;
}

export interface ServerRequest {
  /** DNS names and addresses beside localhost, 127.0.0.1 and ::1. */
  readonly extraNames?: readonly string[];
  readonly overwrite?: boolean;
}

export interface ClientRequest {
  readonly odsCode: string;
  readonly localId: string;
  readonly uses?: readonly KeyUse[];
  readonly validity?: Validity;
  readonly overwrite?: boolean;
}

/** A throw-away authority living in a folder. */
export interface DevAuthority {
  readonly authorityFile: string;
  /** True when the authority was made by this call, false when it was found in the folder. */
  readonly made: boolean;
  /** `server.pem`. One that is there is kept if it has all the names; else throws `FolderFault` 'exists' unless `overwrite`. */
  server(request?: ServerRequest): Promise<IssuedFiles>;
  /** `client-ODS-LOCALID.pem`. Throws `FolderFault` 'exists' unless `overwrite`, `RangeError` on names outside the grammar. */
  client(request: ClientRequest): Promise<IssuedFiles>;
  /** `crl.pem`, valid for `days`; replaces the former list. Answers its path. */
  revoke(certificateFiles: readonly { readonly serialHex: string }[]): Promise<string>;
}

export const defaultDays = 365;
const authorityDays = 3650;
const dayMs = 86_400_000;
// Callers whose clock is a little behind must not find their certificate not yet valid.
const backdateMs = 5 * 60_000;
const localNames = ['localhost', '127.0.0.1', '::1'];

/**
 * Opens the authority in a folder, making folder and authority when there is none. An authority that is there is never
 * replaced: everything it issued would stop working. Throws `FolderFault`.
 */
export async function createDevAuthority(options: DevAuthorityOptions): Promise<DevAuthority> {
  const { folder, now } = options;
  await openFolder(folder);
  const paths = certificatePaths(folder, 'ca');
  const found = await openFound(paths, now());
  const authority = found ?? (await makeAuthority('OpenMESH throw-away authority', validFor(now(), authorityDays)));
  if (found === undefined) await writePair(paths, authority, false);
  const days = options.days ?? defaultDays;
  return {
    authorityFile: paths.certificateFile,
    made: found === undefined,
    server: (request = {}) => issueServer(authority, folder, validFor(now(), days), request),
    client: (request) => issueClient(authority, folder, validFor(now(), days), request),
    async revoke(certificates) {
      const file = join(folder, 'crl.pem');
      const { notBeforeMs, notAfterMs } = validFor(now(), days);
      const revoked = certificates.map(({ serialHex }) => ({ serialHex, revokedAtMs: notBeforeMs }));
      const list = { thisUpdateMs: notBeforeMs, nextUpdateMs: notAfterMs, revoked };
      await writePublic(file, await makeRevocationList(authority, list), true);
      return file;
    },
  };
}

async function issueServer(
  authority: Authority,
  folder: string,
  validity: Validity,
  request: ServerRequest,
): Promise<IssuedFiles> {
  const paths = certificatePaths(folder, 'server');
  const names = [...new Set([...localNames, ...(request.extraNames ?? [])])];
  const overwrite = request.overwrite === true;
  const there = overwrite ? undefined : await readPair(paths);
  if (there !== undefined) {
    const covered = coveredNames(there.certificatePem, paths.certificateFile);
    const lacking = names.filter((name) => !covered(name));
    if (lacking.length === 0) return { ...paths, made: false };
    throw new FolderFault('exists', `${paths.certificateFile} exists already, without the name ${lacking.join(', ')}.`);
  }
  const issued = await issueLeaf(authority, { commonName: 'localhost', validity, uses: ['serverAuth'], names });
  await writePair(paths, issued, overwrite);
  return { ...paths, made: true };
}

async function issueClient(
  authority: Authority,
  folder: string,
  validity: Validity,
  request: ClientRequest,
): Promise<IssuedFiles> {
  const { odsCode, localId, uses = ['clientAuth'], overwrite = false } = request;
  const commonName = formatCommonName(localId, odsCode);
  if (commonName === undefined) {
    throw new RangeError(
      'An ODS code is 1 to 10 letters and digits, a local id is letters, digits, "-" and "_", and together they have at most 40 characters.',
    );
  }
  const paths = certificatePaths(folder, `client-${odsCode}-${localId}`);
  const issued = await issueLeaf(authority, { commonName, validity: request.validity ?? validity, uses });
  await writePair(paths, issued, overwrite);
  return { ...paths, made: true };
}

async function openFound(paths: CertificatePaths, nowMs: number): Promise<Authority | undefined> {
  const pair = await readPair(paths);
  if (pair === undefined) return undefined;
  const remedy = 'Choose another folder, or remove this one to begin anew.';
  let authority: Authority;
  try {
    authority = await openAuthority(pair);
  } catch (cause) {
    throw new FolderFault('unusable', `${paths.certificateFile} is not an authority made here. ${remedy}`, { cause });
  }
  if (authority.certificate.notAfter.getTime() <= nowMs) {
    throw new FolderFault('unusable', `The authority in ${paths.certificateFile} has expired. ${remedy}`);
  }
  return authority;
}

function coveredNames(certificatePem: string, file: string): (name: string) => boolean {
  try {
    const certificate = new X509Certificate(certificatePem);
    return (name) => (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
  } catch (cause) {
    throw new FolderFault('unusable', `${file} is not a certificate.`, { cause });
  }
}

function validFor(nowMs: number, days: number): Validity {
  return { notBeforeMs: nowMs - backdateMs, notAfterMs: nowMs + days * dayMs };
}
