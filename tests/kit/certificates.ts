import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDevAuthority } from '@openmesh/exchange/cli/dev-ca/authority.ts';
import type { CertificatePaths } from '@openmesh/exchange/cli/dev-ca/certificate-folder.ts';
import {
  type Authority,
  issueLeaf,
  type LeafRequest,
  makeAuthority,
  makeRevocationList,
  openAuthority,
  type Validity,
} from '@openmesh/exchange/cli/dev-ca/issue.ts';

/** A certificate of the test set: its files, their text, and the names a server knows it by. */
export interface TestIdentity extends CertificatePaths {
  readonly cert: string;
  readonly key: string;
  /** Upper-case hex. */
  readonly serial: string;
  /** SHA-256, lower-case hex. */
  readonly fingerprint: string;
}

export interface TestCertificates {
  readonly folder: string;
  readonly authorityFile: string;
  readonly authority: string;
  /** A current list that names `clients.revoked`. */
  readonly revocationListFile: string;
  /** For localhost, 127.0.0.1 and ::1. */
  readonly server: TestIdentity;
  readonly clients: {
    /** ODS code X26, as the fixtures of the sandbox. */
    readonly x26: TestIdentity;
    readonly otherOrganisation: TestIdentity;
    readonly expired: TestIdentity;
    readonly notYetValid: TestIdentity;
    /** The name of x26, from an authority nobody accepts. */
    readonly wrongAuthority: TestIdentity;
    /** No extended key usage at all. */
    readonly withoutUsage: TestIdentity;
    /** May be used by servers only. */
    readonly wrongUsage: TestIdentity;
    /** A common name that names no organisation. */
    readonly oddSubject: TestIdentity;
    readonly revoked: TestIdentity;
  };
}

const dayMs = 86_400_000;
let made: Promise<TestCertificates> | undefined;

/** The set of this process: made once, kept in a temporary folder until the process ends. */
export function testCertificates(): Promise<TestCertificates> {
  made ??= makeSet();
  return made;
}

/** Issues one more certificate from the authority of the set, for cases the set does not hold. */
export async function issueTestCertificate(name: string, request: LeafRequest): Promise<TestIdentity> {
  const { folder } = await testCertificates();
  return store(folder, name, await openAuthorityOf(folder), request);
}

/** A current list of the set's authority that names nobody. */
export async function emptyRevocationList(): Promise<string> {
  const { folder } = await testCertificates();
  const now = Date.now();
  const request = { thisUpdateMs: now - dayMs, nextUpdateMs: now + dayMs, revoked: [] };
  return makeRevocationList(await openAuthorityOf(folder), request);
}

/** The certificate of an authority that issued nothing of the set. */
export async function otherAuthority(): Promise<string> {
  const now = Date.now();
  const authority = await makeAuthority('Another authority', { notBeforeMs: now - dayMs, notAfterMs: now + dayMs });
  return authority.certificatePem;
}

async function makeSet(): Promise<TestCertificates> {
  const folder = mkdtempSync(join(tmpdir(), 'openmesh-certificates-'));
  removeAtExit(folder);
  const now = Date.now();
  const dev = await createDevAuthority({ folder, now: Date.now });
  const authority = await openAuthorityOf(folder);
  const current: Validity = { notBeforeMs: now - dayMs, notAfterMs: now + dayMs };
  const stranger = await makeAuthority('Nobody accepts this authority', current);
  const client = (name: string, more: Partial<LeafRequest> = {}, by = authority): Promise<TestIdentity> => {
    const request: LeafRequest = { commonName: commonNameOf('X26'), validity: current, uses: ['clientAuth'], ...more };
    return store(folder, `test-${name}`, by, request);
  };
  const past: Validity = { notBeforeMs: now - 2 * dayMs, notAfterMs: now - dayMs };
  const future: Validity = { notBeforeMs: now + dayMs, notAfterMs: now + 2 * dayMs };
  const clients = {
    x26: await client('x26'),
    otherOrganisation: await client('other-organisation', { commonName: commonNameOf('Y99') }),
    expired: await client('expired', { validity: past }),
    notYetValid: await client('not-yet-valid', { validity: future }),
    wrongAuthority: await client('wrong-authority', {}, stranger),
    withoutUsage: await client('without-usage', { uses: [] }),
    wrongUsage: await client('wrong-usage', { uses: ['serverAuth'] }),
    oddSubject: await client('odd-subject', { commonName: 'mesh.example.org' }),
    revoked: await client('revoked'),
  };
  return {
    folder,
    authorityFile: dev.authorityFile,
    authority: authority.certificatePem,
    revocationListFile: await dev.revoke([{ serialHex: clients.revoked.serial }]),
    server: await identify(await dev.server()),
    clients,
  };
}

function commonNameOf(odsCode: string): string {
  return `SERVER001.${odsCode}.api.mesh-client.nhs.uk`;
}

/** The test runner ends its processes by SIGTERM, which by itself would leave the folder behind. */
function removeAtExit(folder: string): void {
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  process.once('SIGTERM', () => {
    remove();
    process.kill(process.pid, 'SIGTERM');
  });
}

async function store(folder: string, name: string, by: Authority, request: LeafRequest): Promise<TestIdentity> {
  const issued = await issueLeaf(by, request);
  const paths = { certificateFile: join(folder, `${name}.pem`), keyFile: join(folder, `${name}-key.pem`) };
  await writeFile(paths.certificateFile, issued.certificatePem);
  await writeFile(paths.keyFile, issued.keyPem, { mode: 0o600 });
  return identify(paths);
}

async function identify({ certificateFile, keyFile }: CertificatePaths): Promise<TestIdentity> {
  const cert = await readFile(certificateFile, 'latin1');
  const { serialNumber, fingerprint256 } = new X509Certificate(cert);
  return {
    certificateFile,
    keyFile,
    cert,
    key: await readFile(keyFile, 'latin1'),
    serial: serialNumber,
    fingerprint: fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

async function openAuthorityOf(folder: string): Promise<Authority> {
  const [certificatePem, keyPem] = await Promise.all([
    readFile(join(folder, 'ca.pem'), 'latin1'),
    readFile(join(folder, 'ca-key.pem'), 'latin1'),
  ]);
  return openAuthority({ certificatePem, keyPem });
}
