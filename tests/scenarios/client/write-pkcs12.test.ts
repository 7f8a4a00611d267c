import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { readKeyStore } from '@openmesh/client/keystore/read-key-store.ts';
import { writePkcs12 } from '@openmesh/client/keystore/write-pkcs12.ts';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const fixtures = JSON.parse(
  readFileSync(new URL('../../../packages/client/src/keystore/fixtures.json', import.meta.url), 'utf8'),
) as Record<string, string>;
const password = 'pass wörd';
const before = readKeyStore(Buffer.from(fixtures['client.jks'] ?? '', 'base64'), 'changeit');
const written = writePkcs12(before, password, 'client');

describe('a PKCS#12 file made of a Java key store', () => {
  it('gives back the same key, certificate and authorities', () => {
    expect(readKeyStore(written, password)).toEqual(before);
    expect(() => readKeyStore(written, 'another')).toThrow(/password/);
  });

  it('is taken by Node, which takes none of the old encryptions', () => {
    expect(() => createSecureContext({ pfx: written, passphrase: password })).not.toThrow();
  });

  it('holds its key under AES-256, as OpenSSL sees it', async () => {
    await using folder = await temporaryFolder('pkcs12');
    const file = join(folder.path, 'client.p12');
    writeFileSync(file, written);
    const args = ['pkcs12', '-in', file, '-passin', `pass:${password}`, '-info', '-nokeys'];
    const said = execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    expect(said.match(/BEGIN CERTIFICATE/g)).toHaveLength(1 + before.authorities.length);
    expect(said).toContain('friendlyName: client');
  });
});
