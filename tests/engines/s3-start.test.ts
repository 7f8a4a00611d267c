import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testCertificates } from '../kit/certificates.ts';
import { CephStore } from '../kit/engines/ceph.ts';
import { s3Environment } from '../kit/engines/s3-environment.ts';
import { bucketOf, type TestBucket } from '../kit/engines/test-bucket.ts';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { ExchangeProcess, NotReady } from '../kit/exchange-process.ts';
import { freePort } from '../kit/free-port.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/temporary-folder.ts';

let ceph: CephStore;
let bucket: TestBucket;
let home: TemporaryFolder;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  ceph = await CephStore.start();
  bucket = await bucketOf(ceph);
});
afterAll(async () => {
  bucket.close();
  await ceph[Symbol.asyncDispose]();
});
beforeEach(async () => {
  home = await temporaryFolder('s3-start');
  env = { ...new ExchangeFolder(home.path).env, ...s3Environment(ceph, bucket.name) };
});
afterEach(() => home.remove());

/** Status and words of an exchange that does not start. */
async function refusal(more: Readonly<Record<string, string>>): Promise<{ code: number | null; says: string }> {
  try {
    const started = await ExchangeProcess.start({ env: { ...env, ...more } });
    await started.kill9();
    return { code: null, says: 'it started' };
  } catch (error) {
    if (!(error instanceof NotReady)) throw error;
    const says = error.output.split('\n').find((line) => line.startsWith('serve: '));
    return { code: error.end?.code ?? null, says: says ?? error.output };
  }
}

describe('the check of the store at the start', () => {
  it('lets a good store through and leaves nothing in it', async () => {
    expect(await refusal({})).toEqual({ code: null, says: 'it started' });
    expect(await bucket.keys()).toEqual([]);
  });

  it('says that nothing answers, with a status that asks to be started again', async () => {
    const { code, says } = await refusal({ OPENMESH_S3_ENDPOINT: `http://127.0.0.1:${await freePort()}` });
    expect(code).toBe(69);
    expect(says).toContain(`s3://${bucket.name}/bodies cannot be used: nothing answers at its address`);
  });

  it.each([
    ['AWS_SECRET_ACCESS_KEY', 'another secret'],
    ['AWS_ACCESS_KEY_ID', 'nobody'],
  ])('says that %s is not accepted, and repeats no secret', async (name, value) => {
    const { code, says } = await refusal({ [name]: value });
    expect(code).toBe(78);
    expect(says).toContain('it does not accept the credentials');
    expect(says).not.toContain(value);
  });

  it('says that there are no credentials', async () => {
    const none = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', HOME: home.path };
    expect(await refusal(none)).toMatchObject({
      code: 78,
      says: expect.stringContaining('there are no credentials for it') as unknown,
    });
  });

  it('says that there is no such bucket', async () => {
    const { code, says } = await refusal({ OPENMESH_BODIES: 's3://no-such-bucket/bodies' });
    expect(code).toBe(78);
    expect(says).toContain('s3://no-such-bucket/bodies cannot be used: there is no such bucket');
  });

  it('says that a certificate is not trusted', async () => {
    const { server } = await testCertificates();
    const files = { cert: readFileSync(server.certificateFile), key: readFileSync(server.keyFile) };
    const untrusted = createTlsServer(files, (socket) => socket.destroy());
    const port = await listening(untrusted);
    const { code, says } = await refusal({ OPENMESH_S3_ENDPOINT: `https://127.0.0.1:${port}` });
    untrusted.close();
    expect(code).toBe(78);
    expect(says).toContain('its certificate is not trusted');
  });

  it('says that the store does not offer the encryption that is asked for', async () => {
    const { code, says } = await refusal({ OPENMESH_S3_ENCRYPTION: 'aws:kms', OPENMESH_S3_KMS_KEY: 'no-such-key' });
    expect(code).toBe(78);
    expect(says).toContain('it refuses the encryption that is asked for');
  });

  it('gives up on a store that takes connections and says nothing', async () => {
    const silent = createServer((socket) => socket.on('error', () => socket.destroy()));
    const port = await listening(silent);
    const { code, says } = await refusal({ OPENMESH_S3_ENDPOINT: `http://127.0.0.1:${port}` });
    silent.close();
    expect(code).toBe(69);
    expect(says).toContain('nothing answers at its address');
  });
});

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
