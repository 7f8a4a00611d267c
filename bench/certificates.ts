import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of a throw-away authority, a server at localhost and one client, good for two days. */
export interface CredentialFiles {
  readonly ca: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
}

/** The same as PEM texts. */
export type Credentials = CredentialFiles;

const subjects = {
  ca: '/CN=OpenMESH benchmark CA',
  server: '/CN=localhost',
  client: '/CN=bench.X26.api.mesh-client.nhs.uk',
};

const extensions = `
[ca]
basicConstraints=critical,CA:true,pathlen:0
keyUsage=critical,keyCertSign,cRLSign
[server]
extendedKeyUsage=serverAuth
subjectAltName=DNS:localhost,IP:127.0.0.1
[client]
extendedKeyUsage=clientAuth
`;

/** Makes new P-256 credentials in `directory` with the openssl command; throws when that is missing or fails. */
export function makeCredentials(directory: string): { readonly files: CredentialFiles; readonly texts: Credentials } {
  const path = (name: string): string => join(directory, name);
  writeFileSync(path('extensions.cnf'), extensions);
  const sign = (name: 'ca' | 'server' | 'client'): void => {
    const [key, request, certificate] = [path(`${name}.key`), path(`${name}.csr`), path(`${name}.pem`)];
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', key);
    openssl('req', '-new', '-key', key, '-subj', subjects[name], '-out', request);
    const issuer =
      name === 'ca' ? ['-signkey', key] : ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-CAcreateserial'];
    const extension = ['-extfile', path('extensions.cnf'), '-extensions', name];
    openssl('x509', '-req', '-in', request, '-days', '2', '-out', certificate, ...issuer, ...extension);
  };
  for (const name of ['ca', 'server', 'client'] as const) sign(name);
  const files = {
    ca: path('ca.pem'),
    serverCert: path('server.pem'),
    serverKey: path('server.key'),
    clientCert: path('client.pem'),
    clientKey: path('client.key'),
  };
  const texts = {
    ca: read(files.ca),
    serverCert: read(files.serverCert),
    serverKey: read(files.serverKey),
    clientCert: read(files.clientCert),
    clientKey: read(files.clientKey),
  };
  return { files, texts };
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function read(file: string): string {
  return readFileSync(file, 'latin1');
}
