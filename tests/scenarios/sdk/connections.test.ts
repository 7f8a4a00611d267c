import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  doctor,
  fromStream,
  type LogEntry,
  MeshClient,
  type MeshClientOptions,
  type MeshError,
  type TlsOptions,
} from '@openmesh/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { otherAuthority, type TestCertificates, testCertificates } from '../../kit/certificates.ts';
import { startConnectProxy } from '../../kit/connect-proxy.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { startScriptedService } from '../../kit/scripted-service.ts';
import { sdkClient, sdkOptions } from '../../kit/sdk-client.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

let exchange: ExchangeInProcess;
let certificates: TestCertificates;
beforeAll(async () => {
  exchange = await ExchangeInProcess.start();
  certificates = await testCertificates();
});
afterAll(() => exchange.stop());

const pem = ({ cert, key }: { cert: string; key: string }) => ({ kind: 'pem', certificate: cert, key }) as const;

const plainClient = (url: string): MeshClient =>
  new MeshClient({ url, mailboxId: 'X26ABC1', password: 'password', sharedKey: 'key', retry: { attempts: 1 } });

async function shake(more: Partial<MeshClientOptions>): Promise<unknown> {
  await using client = await sdkClient(exchange, 'X26ABC1', { retry: { attempts: 2 }, ...more });
  return await client.handshake().then(
    () => 'ok',
    (error: MeshError) => error,
  );
}

const withTls = (tls: Partial<TlsOptions>): Promise<unknown> =>
  shake({ tls: { authorities: [certificates.authority], certificate: pem(certificates.clients.x26), ...tls } });

describe('certificates that are replaced while the client works', () => {
  it('count from the next request on, kept connections or not; those that are no good change nothing', async () => {
    const authorities = [certificates.authority];
    const good: TlsOptions = { authorities, certificate: pem(certificates.clients.x26) };
    await using client = await sdkClient(exchange, 'X26ABC1', { retry: { attempts: 1 }, tls: { authorities } });
    await expect(client.handshake()).rejects.toMatchObject({ code: 'client-certificate-refused' });
    client.renewTls(good);
    await client.handshake();
    const torn = { ...pem(certificates.clients.x26), key: certificates.clients.expired.key };
    expect(() => client.renewTls({ ...good, certificate: torn })).toThrow(
      expect.objectContaining({ code: 'client-certificate-unusable' }),
    );
    await client.handshake();
    client.renewTls({ ...good, authorities: [await otherAuthority()] });
    await expect(client.handshake()).rejects.toMatchObject({ code: 'server-certificate-rejected' });
  });
});

describe('the server’s certificate', () => {
  it('from an authority the client does not know ends the connection before anything is sent, and is not tried again', async () => {
    const waits: number[] = [];
    const surroundings = { nowMs: exchange.clock.nowMs, wait: (ms: number) => Promise.resolve(void waits.push(ms)) };
    const tls = { authorities: [await otherAuthority()], certificate: pem(certificates.clients.x26) };
    const refused = { code: 'server-certificate-rejected', class: 'permanent', whoCanFix: 'operator' };
    expect(await shake({ tls, surroundings })).toMatchObject(refused);
    expect(await withTls({ authorities: undefined })).toMatchObject(refused);
    expect(waits).toEqual([]);
  });

  it('for another name is not taken', async () => {
    expect(await withTls({ serverName: 'mesh.example.org' })).toMatchObject({ code: 'server-certificate-rejected' });
    expect(await withTls({ serverName: 'localhost' })).toBe('ok');
  });

  it('is not looked at only by the option that says so, which warns when the client is made', async () => {
    const log: LogEntry[] = [];
    const tls = {
      authorities: [await otherAuthority()],
      certificate: pem(certificates.clients.x26),
      dangerouslyAcceptAnyServerCertificate: true,
    };
    expect(await shake({ tls, log: (entry) => void log.push(entry) })).toBe('ok');
    expect(log).toEqual([{ level: 'warning', event: 'server-certificate-not-verified', text: expect.any(String) }]);
  });

  it('is looked at though the environment of the process says not to', async () => {
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      const authorities = [await otherAuthority()];
      expect(await withTls({ authorities })).toMatchObject({ code: 'server-certificate-rejected' });
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    }
  });
});

describe('the client’s certificate', () => {
  it.each(['expired', 'wrongAuthority', 'wrongUsage'] as const)('that is %s is named as refused', async (which) => {
    const error = await withTls({ certificate: pem(certificates.clients[which]) });
    expect(error).toMatchObject({
      code: expect.stringMatching(/^(client-certificate-refused|answer-lost)$/),
      class: expect.stringMatching(/^(permanent|transient)$/),
      hint: expect.stringMatching(/certificate/),
    });
  });

  it('that is missing is named as refused', async () => {
    expect(await withTls({ certificate: undefined })).toMatchObject({ code: 'client-certificate-refused' });
  });

  it('may come as PKCS#12 with its passphrase, and a wrong passphrase is found when the client is made', async () => {
    await using folder = await temporaryFolder('pkcs12');
    const file = join(folder.path, 'client.p12');
    const { certificateFile, keyFile } = certificates.clients.x26;
    const pair = ['-in', certificateFile, '-inkey', keyFile];
    execFileSync('openssl', ['pkcs12', '-export', ...pair, '-out', file, '-passout', 'pass:open sesame']);
    const bytes = readFileSync(file);
    const certificate = { kind: 'pkcs12', bytes, passphrase: 'open sesame' } as const;
    expect(await withTls({ certificate })).toBe('ok');
    const tls = { authorities: [certificates.authority], certificate };
    const { checks } = await doctor(await sdkOptions(exchange, 'X26ABC1', { tls }));
    const own = checks.find(({ name }) => name === 'client-certificate');
    expect(own).toMatchObject({ status: 'warning', finding: expect.stringMatching(/X26.* 0 days left/) });
    const options = await sdkOptions(exchange, 'X26ABC1', {
      tls: { certificate: { kind: 'pkcs12', bytes, passphrase: 'wrong' } },
    });
    expect(() => new MeshClient(options)).toThrow(
      expect.objectContaining({ code: 'client-certificate-unusable', message: expect.not.stringContaining('wrong') }),
    );
  });
});

describe('a proxy', () => {
  it('is asked for a tunnel, through which the service’s own certificate is held to its name', async () => {
    await using proxy = await startConnectProxy({ credentials: 'user:pass:word' });
    const url = `http://user:${encodeURIComponent('pass:word')}@127.0.0.1:${proxy.port}`;
    await using client = await sdkClient(exchange, 'X26ABC1', { proxy: url });
    await client.handshake();
    const sent = await client.send({ to: 'X26ABC2', workflowId: 'WF' }, Buffer.alloc(300_000, 'x'), {
      chunkBytes: 100_000,
    });
    expect(sent.kind).toBe('sent');
    expect(new Set(proxy.asked)).toEqual(new Set([`127.0.0.1:${exchange.port}`]));
    const tls = { authorities: [await otherAuthority()] };
    expect(await shake({ proxy: url, tls })).toMatchObject({ code: 'server-certificate-rejected' });
  });

  it.each([
    ['a name and password it does not know', { credentials: 'user:other' }, 407],
    ['a host it does not allow', { refuseWith: 403 }, 403],
  ])('that refuses %s is named as the reason, without the password', async (_why, options, status) => {
    await using proxy = await startConnectProxy(options);
    const error = await shake({ proxy: `http://user:secret@127.0.0.1:${proxy.port}` });
    expect(error).toMatchObject({ code: 'proxy-refused', message: expect.stringContaining(String(status)) });
    expect((error as Error).message).not.toContain('secret');
  });

  it.each(['https://proxy:1', 'socks5://proxy:1', 'proxy:3128', 'http://user:secret@proxy:1/path'])(
    'that is none this client knows is refused when the client is made: %s',
    async (proxy) => {
      const options = await sdkOptions(exchange, 'X26ABC1', { proxy });
      expect(() => new MeshClient(options)).toThrow(
        expect.objectContaining({ code: 'invalid-option', message: expect.not.stringContaining('secret') }),
      );
    },
  );
});

describe('the address of the service', () => {
  it.each(['', '/', '/messageexchange', '/messageexchange/'])('may end in %o', async (ending) => {
    expect(await shake({ url: exchange.url + ending })).toBe('ok');
  });

  it.each(['http://mesh.example.org', 'ftp://x', 'nonsense', 'https://user:pw@host', 'https://host/?a=b'])(
    'is refused when it is %s',
    async (url) => {
      const options = await sdkOptions(exchange, 'X26ABC1', { url });
      expect(() => new MeshClient(options)).toThrow(expect.objectContaining({ code: 'invalid-option' }));
    },
  );
});

describe('a client that was closed', () => {
  it('makes no connection any more, not even to repeat what its closing ended', async () => {
    const client = await sdkClient(exchange, 'X26ABC1');
    const underWay = client.handshake();
    client.close();
    await expect(underWay).rejects.toMatchObject({ code: 'aborted', class: 'permanent' });
    await expect(client.list()).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('a signal', () => {
  it('that is aborted already lets nothing begin', async () => {
    await using client = await sdkClient(exchange, 'X26ABC1');
    const signal = AbortSignal.abort(new Error('closing'));
    const error: unknown = await client.handshake({ signal }).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'aborted', cause: { message: 'closing' } });
  });

  it('that ends one call leaves the handshake it shares with others to them', async () => {
    const answering = new AbortController();
    await using service = await startScriptedService({
      async onHandshake() {
        if (!answering.signal.aborted) await once(answering.signal, 'abort');
      },
    });
    await using client = plainClient(service.url);
    const abort = new AbortController();
    const one = client.list({}, { signal: abort.signal });
    const other = client.list();
    abort.abort();
    await expect(one).rejects.toMatchObject({ code: 'aborted' });
    answering.abort();
    expect((await other).messages).toEqual([]);
  });

  it('ends a send though the stream it reads has stalled, and gives the stream up', async () => {
    await using service = await startScriptedService();
    await using client = plainClient(service.url);
    const abort = new AbortController();
    const stalled = new Readable({ read: () => abort.abort() });
    const sending = client.send({ to: 'X26ABC1', workflowId: 'WF' }, fromStream(stalled), { signal: abort.signal });
    await expect(sending).rejects.toMatchObject({ code: 'aborted' });
    expect(stalled.destroyed).toBe(true);
    expect(service.sends).toEqual([]);
  });

  it('ends an upload, a download, a pause and a walk with an error of ours, and leaves nothing running', async () => {
    await using client = await sdkClient(exchange, 'X26ABC1');
    const abort = new AbortController();
    const { signal } = abort;
    const onState = (): void => abort.abort();
    const sending = client.send({ to: 'X26ABC1', workflowId: 'WF' }, Buffer.alloc(500_000), {
      chunkBytes: 50_000,
      onState,
      signal,
    });
    await expect(sending).rejects.toMatchObject({ code: 'aborted', messageId: expect.any(String) });

    const sent = await client.send({ to: 'X26ABC1', workflowId: 'WF' }, Buffer.alloc(5_000_000));
    if (sent.kind !== 'sent') throw sent.cause;
    const reading = new AbortController();
    const read = async (): Promise<void> => {
      for await (const block of await client.download(sent.messageId, { signal: reading.signal })) {
        reading.abort();
        void block;
      }
    };
    await expect(read()).rejects.toMatchObject({ code: expect.stringMatching(/^aborted/) });

    const pausing = new AbortController();
    await using unreachable = await sdkClient(exchange, 'X26ABC1', {
      url: 'https://127.0.0.1:1',
      surroundings: {
        wait: (_ms, given) => {
          pausing.abort();
          return given?.aborted === true ? Promise.reject(new Error('aborted')) : Promise.resolve();
        },
      },
    });
    await expect(unreachable.handshake({ signal: pausing.signal })).rejects.toMatchObject({ code: 'aborted' });
  });
});
