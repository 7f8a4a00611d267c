import { existsSync, readFileSync } from 'node:fs';
import { MeshClient, type MeshClientOptions } from '@openmesh/sdk';

/** The sandbox of `npm start`, unless MESH_URL says where else it runs. */
export function optionsOf(mailboxId: string): MeshClientOptions {
  const authorityFile = process.env['MESH_CA_FILE'] ?? '/tmp/mesh_store/.openmesh/tls/ca.pem';
  return {
    url: process.env['MESH_URL'] ?? 'https://localhost:8700',
    mailboxId,
    password: 'password',
    sharedKey: 'TestKey',
    // In earnest there is a client certificate too: { kind: 'pem', certificate, key } or { kind: 'pkcs12', bytes, passphrase }.
    tls: { authorities: existsSync(authorityFile) ? [readFileSync(authorityFile)] : undefined },
    application: 'openmesh-examples/1.0',
  };
}

export function connect(mailboxId: string): MeshClient {
  return new MeshClient(optionsOf(mailboxId));
}
