import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDevAuthority } from '../packages/exchange/src/cli/dev-ca/authority.ts';

/** Paths of a throw-away authority, a server at localhost and one client. */
export interface CredentialFiles {
  readonly ca: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
}

/** The same as PEM texts. */
export type Credentials = CredentialFiles;

/** The organisation in the client's certificate, to which every benchmark mailbox belongs. */
export const odsCode = 'X26';

/** Makes new credentials under `directory`, as `openmesh-exchange dev-ca` would. */
export async function makeCredentials(
  directory: string,
): Promise<{ readonly files: CredentialFiles; readonly texts: Credentials }> {
  const authority = await createDevAuthority({ folder: join(directory, 'certificates'), now: () => Date.now() });
  const server = await authority.server({});
  const client = await authority.client({ odsCode, localId: 'BENCH' });
  const files = {
    ca: authority.authorityFile,
    serverCert: server.certificateFile,
    serverKey: server.keyFile,
    clientCert: client.certificateFile,
    clientKey: client.keyFile,
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

function read(file: string): string {
  return readFileSync(file, 'latin1');
}
