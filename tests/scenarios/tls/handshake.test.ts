import { once } from 'node:events';
import { request as plainRequest } from 'node:http';
import { connect } from 'node:net';
import { rememberAddresses } from '@openmesh/exchange/http/client-address.ts';
import { describeTlsFailure, type TlsFailure } from '@openmesh/exchange/http/tls/tls-failure.ts';
import { describe, expect, it } from 'vitest';
import { testCertificates } from '../../kit/certificates.ts';
import { guardLeaks } from '../../kit/leak-guard.ts';
import { call, openCaller } from './caller.ts';
import { type GuardedServer, startGuardedServer } from './guarded-server.ts';

guardLeaks();

const { clients } = await testCertificates();

describe('the TLS policy', () => {
  it.each([
    ['TLSv1.2', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
    ['TLSv1.3', 'TLS_AES_128_GCM_SHA256'],
  ] as const)('serves a caller that speaks nothing but %s', async (version, cipher) => {
    await using server = await startGuardedServer();
    const outcome = await call({ port: server.port, identity: clients.x26, version });
    expect(outcome).toMatchObject({ status: 200, protocol: version, cipher });
  });

  it('refuses TLS 1.1 by an alert, even to a caller that allows its weakest ciphers', async () => {
    await using server = await startGuardedServer();
    const ciphers = 'DEFAULT@SECLEVEL=0';
    const outcome = await call({ port: server.port, identity: clients.x26, version: 'TLSv1.1', ciphers });
    expect(outcome).toEqual({ error: 'alert 70' });
  });

  it('refuses ciphers without forward secrecy or authentication', async () => {
    await using server = await startGuardedServer();
    for (const ciphers of ['AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES128-SHA256']) {
      const outcome = await call({ port: server.port, identity: clients.x26, version: 'TLSv1.2', ciphers });
      expect(outcome).toEqual({ error: 'alert 40' });
    }
  });

  it('refuses to renegotiate, so that the certificate of a connection cannot change', async () => {
    await using server = await startGuardedServer();
    using caller = await openCaller({ port: server.port, identity: clients.x26, version: 'TLSv1.2' });
    expect(await caller.request()).toMatchObject({ status: 200 });
    const refusal = await new Promise((resolve) => {
      caller.socket.once('error', (error) => resolve(error.message));
      caller.socket.renegotiate({}, (error) => resolve(error?.message));
    });
    expect(refusal).toMatch(/no renegotiation/);
  });

  it('speaks HTTP/1.1 with a caller that would rather have HTTP/2', async () => {
    await using server = await startGuardedServer();
    using caller = await openCaller({ port: server.port, identity: clients.x26, alpn: ['h2', 'http/1.1'] });
    expect(await caller.request()).toMatchObject({ status: 200 });
    expect(caller.socket.alpnProtocol).toBe('http/1.1');
  });
});

describe('the modes', () => {
  it('asks nobody for a certificate in mode server', async () => {
    await using server = await startGuardedServer({ tls: { mode: 'server' } });
    expect(await call({ port: server.port })).toMatchObject({ status: 200, finding: { ok: true } });
  });

  it('is plain HTTP in mode off', async () => {
    await using server = await startGuardedServer({ tls: { mode: 'off' } });
    const status = await new Promise((resolve) => {
      plainRequest({ host: '127.0.0.1', port: server.port, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).end();
    });
    expect(status).toBe(200);
    expect(server.contexts.certificateDaysLeft()).toBeUndefined();
  });
});

function collect(failures: (TlsFailure | undefined)[]): (server: GuardedServer['server']) => void {
  return (server) => {
    rememberAddresses(server);
    server.on('tlsClientError', (error, socket) => {
      failures.push(describeTlsFailure(error, socket));
    });
  };
}

describe('a failed handshake', () => {
  it.each([
    ['no certificate', 'missing', () => ({})],
    ['a certificate of another authority', 'untrusted', () => ({ identity: clients.wrongAuthority })],
    ['an expired certificate', 'expired', () => ({ identity: clients.expired })],
    ['an old version', 'handshake', () => ({ version: 'TLSv1.1' as const, ciphers: 'DEFAULT@SECLEVEL=0' })],
  ] as const)('over %s is told with its reason and the address it came from', async (_what, reason, how) => {
    const failures: (TlsFailure | undefined)[] = [];
    await using server = await startGuardedServer({ prepare: collect(failures) });
    const failed = new Promise((resolve) => server.server.once('tlsClientError', resolve));
    expect(await call({ port: server.port, ...how() })).toHaveProperty('error');
    await failed;
    expect(failures).toMatchObject([{ reason, address: { address: '127.0.0.1' } }]);
  });

  it.each([
    ['without a word, which is no failure', '', undefined],
    ['in the middle of its first word', '1603010200', { reason: 'handshake', code: 'ECONNRESET' }],
    ['after plain HTTP', '474554202f20485454502f312e310d0a', { reason: 'handshake', code: 'ERR_SSL_HTTP_REQUEST' }],
  ])('lets go at once of a caller that ends its half %s', async (_when, hex, told) => {
    const failures: (TlsFailure | undefined)[] = [];
    // Longer than any test may take: what waits for the time-out fails.
    const options = { handshakeTimeoutMs: 600_000 };
    await using server = await startGuardedServer({ options, prepare: collect(failures) });
    const failed = new Promise((resolve) => server.server.once('tlsClientError', resolve));
    const caller = connect(server.port, '127.0.0.1');
    const closed = once(
      caller.resume().on('error', () => undefined),
      'close',
    );
    caller.end(Buffer.from(hex, 'hex'));
    await failed;
    await closed;
    expect(failures).toHaveLength(1);
    if (told === undefined) expect(failures[0]).toBeUndefined();
    else expect(failures[0]).toMatchObject({ ...told, says: expect.any(String) });
  });

  it('ends a connection that sends nothing, after the time given for it', async () => {
    await using server = await startGuardedServer({ options: { handshakeTimeoutMs: 30 } });
    const told = new Promise<Error>((resolve) => server.server.once('tlsClientError', resolve));
    const silent = connect(server.port, '127.0.0.1');
    silent.resume();
    expect(await told).toMatchObject({ code: 'ERR_TLS_HANDSHAKE_TIMEOUT' });
    silent.destroy();
  });
});
