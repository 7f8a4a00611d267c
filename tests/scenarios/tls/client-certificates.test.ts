import { describe, expect, it } from 'vitest';
import { issueTestCertificate, type TestCertificates, testCertificates } from '../../kit/certificates.ts';
import { guardLeaks } from '../../kit/leak-guard.ts';
import { call, gone, openCaller } from './caller.ts';
import { startGuardedServer } from './guarded-server.ts';

guardLeaks();

const certificates: TestCertificates = await testCertificates();
const { clients, revocationListFile } = certificates;
const versions = ['TLSv1.2', 'TLSv1.3'] as const;
const dayMs = 86_400_000;

describe.each(versions)('mutual TLS over %s, refusing in the handshake', (version) => {
  it('serves a caller whose certificate an accepted authority issued', async () => {
    await using server = await startGuardedServer();
    const outcome = await call({ port: server.port, identity: clients.x26, version });
    expect(outcome).toMatchObject({
      status: 200,
      protocol: version,
      finding: { ok: true, serial: clients.x26.serial },
    });
  });

  it('tells a caller without a certificate by a TLS alert', async () => {
    await using server = await startGuardedServer();
    const outcome = await call({ port: server.port, version });
    // handshake_failure, and certificate_required, which TLS 1.3 brought.
    const alert = { 'TLSv1.2': 'alert 40', 'TLSv1.3': 'alert 116' }[version];
    expect(outcome).toEqual({ error: alert });
  });

  it.each(['wrongAuthority', 'expired', 'notYetValid', 'wrongUsage', 'revoked'] as const)(
    'never reaches a handler with a certificate that is %s',
    async (name) => {
      await using server = await startGuardedServer({ tls: { crlFile: revocationListFile } });
      const outcome = await call({ port: server.port, identity: clients[name], version });
      expect(outcome).toHaveProperty('error');
      expect(server.served).toEqual([]);
    },
  );
});

describe.each(versions)('mutual TLS over %s, answering 400', (version) => {
  it.each([
    ['wrongAuthority', 'untrusted'],
    ['expired', 'expired'],
    ['notYetValid', 'not-yet-valid'],
    ['wrongUsage', 'wrong-usage'],
    ['revoked', 'revoked'],
  ] as const)('refuses a certificate that is %s, on a new session and on a resumed one', async (name, reason) => {
    await using server = await startGuardedServer({
      tls: { missingClientCertificate: 'http-400', crlFile: revocationListFile },
    });
    const target = { port: server.port, identity: clients[name], version };
    const first = await call(target);
    expect(first).toMatchObject({ status: 400, finding: { reason, resumed: false } });
    const again = await call({ ...target, session: 'session' in first ? first.session : undefined });
    expect(again).toMatchObject({ status: 400, finding: { reason, resumed: true } });
  });

  it('refuses a caller without a certificate, also when it resumes the session it was refused on', async () => {
    await using server = await startGuardedServer({ tls: { missingClientCertificate: 'http-400' } });
    const first = await call({ port: server.port, version });
    expect(first).toMatchObject({ status: 400, finding: { ok: false, reason: 'missing' } });
    const again = await call({ port: server.port, version, session: 'session' in first ? first.session : undefined });
    expect(again).toMatchObject({ status: 400, finding: { ok: false, reason: 'missing' } });
  });
});

describe.each(versions)('the check of each request over %s', (version) => {
  it('knows the certificate of a resumed session', async () => {
    await using server = await startGuardedServer();
    const target = { port: server.port, identity: clients.x26, version };
    const first = await call(target);
    const again = await call({ ...target, session: 'session' in first ? first.session : undefined });
    expect(again).toMatchObject({ status: 200, finding: { resumed: true, serial: clients.x26.serial } });
  });

  it('refuses a resumed session whose certificate was revoked since', async () => {
    await using server = await startGuardedServer();
    const target = { port: server.port, identity: clients.x26, version };
    const first = await call(target);
    server.revoked.add(clients.x26.fingerprint);
    const again = await call({ ...target, session: 'session' in first ? first.session : undefined });
    expect(again).toMatchObject({ status: 403, finding: { reason: 'revoked', resumed: true } });
  });

  it('refuses a resumed session whose certificate has expired since', async () => {
    let nowMs = Date.now();
    await using server = await startGuardedServer({
      // The tickets shall outlive the certificate, so that nothing but the check can refuse.
      options: { machineClock: () => nowMs, ticketRotationMs: 1000 * dayMs },
    });
    const target = { port: server.port, identity: clients.x26, version };
    const first = await call(target);
    nowMs += 2 * dayMs;
    const again = await call({ ...target, session: 'session' in first ? first.session : undefined });
    expect(again).toMatchObject({ status: 403, finding: { reason: 'expired', resumed: true } });
  });

  it('refuses the next request of an open connection once its certificate expired or was revoked', async () => {
    let nowMs = Date.now();
    await using server = await startGuardedServer({ options: { machineClock: () => nowMs } });
    using caller = await openCaller({ port: server.port, identity: clients.x26, version });
    expect(await caller.request()).toMatchObject({ status: 200 });
    server.revoked.add(clients.x26.fingerprint);
    expect(await caller.request()).toMatchObject({ status: 403, finding: { reason: 'revoked' } });
    server.revoked.clear();
    nowMs += 2 * dayMs;
    expect(await caller.request()).toMatchObject({ status: 403, finding: { reason: 'expired' } });
    nowMs -= 4 * dayMs;
    expect(await caller.request()).toMatchObject({ status: 403, finding: { reason: 'not-yet-valid' } });
  });
});

describe('the organisation of a certificate', () => {
  it('may not be another than the mailbox has or has named, when that is enforced', async () => {
    await using server = await startGuardedServer({ matchMode: 'enforce' });
    const outcome = await call({ port: server.port, identity: clients.otherOrganisation });
    expect(outcome).toMatchObject({ status: 403, finding: { reason: 'other-organisation' } });
  });

  it('is reported and let through when it is only warned about', async () => {
    await using server = await startGuardedServer({ matchMode: 'warn' });
    expect(await call({ port: server.port, identity: clients.otherOrganisation })).toMatchObject({
      status: 200,
      finding: { ok: true, warning: 'other-organisation' },
    });
    expect(await call({ port: server.port, identity: clients.oddSubject })).toMatchObject({
      status: 200,
      finding: { ok: true, warning: 'unparsable-subject' },
    });
  });

  it('is not looked at when the match is off', async () => {
    await using server = await startGuardedServer({ matchMode: 'off' });
    const outcome = await call({ port: server.port, identity: clients.oddSubject });
    expect(outcome).toMatchObject({ status: 200, finding: { ok: true } });
    expect(outcome).not.toHaveProperty('finding.warning');
  });

  it('must be named by the subject when it is enforced', async () => {
    await using server = await startGuardedServer({ matchMode: 'enforce' });
    const outcome = await call({ port: server.port, identity: clients.oddSubject });
    expect(outcome).toMatchObject({ status: 403, finding: { reason: 'unparsable-subject' } });
  });

  it('may be one the mailbox lets act for it, in any case of letters', async () => {
    const now = Date.now();
    const supplier = await issueTestCertificate('supplier', {
      commonName: 'gateway.z01.API.mesh-client.NHS.uk',
      validity: { notBeforeMs: now - dayMs, notAfterMs: now + dayMs },
      uses: ['clientAuth'],
    });
    await using server = await startGuardedServer({ matchMode: 'enforce' });
    expect(await call({ port: server.port, identity: supplier })).toMatchObject({ status: 200 });
  });
});

describe('a certificate', () => {
  it('without any stated usage is refused or taken, as configured', async () => {
    await using strict = await startGuardedServer({ requireClientAuth: true });
    expect(await call({ port: strict.port, identity: clients.withoutUsage })).toMatchObject({
      status: 403,
      finding: { reason: 'wrong-usage' },
    });
    await using lenient = await startGuardedServer({ requireClientAuth: false });
    expect(await call({ port: lenient.port, identity: clients.withoutUsage })).toMatchObject({ status: 200 });
  });

  it('is never taken from a header, whatever the header is called', async () => {
    await using server = await startGuardedServer({ tls: { missingClientCertificate: 'http-400' } });
    const pem = encodeURIComponent(clients.x26.cert);
    const headers = Object.fromEntries(
      ['ssl-client-cert', 'x-ssl-client-cert', 'x-client-cert', 'x-forwarded-client-cert', 'client-cert'].map(
        (name) => [name, pem],
      ),
    );
    const outcome = await call({
      port: server.port,
      headers: { ...headers, 'x-ssl-client-verify': 'SUCCESS', 'x-ssl-client-s-dn': 'CN=SERVER001.X26.api' },
    });
    expect(outcome).toMatchObject({ status: 400, finding: { reason: 'missing' } });
  });

  it('once revoked loses its open connections, and no other does', async () => {
    await using server = await startGuardedServer();
    using revoked = await openCaller({ port: server.port, identity: clients.x26 });
    using alsoRevoked = await openCaller({ port: server.port, identity: clients.x26 });
    using other = await openCaller({ port: server.port, identity: clients.otherOrganisation });
    for (const caller of [revoked, alsoRevoked, other]) await caller.request();
    server.revoked.add(clients.x26.fingerprint);
    expect(server.connections?.destroyRevoked(server.isRevoked)).toBe(2);
    await Promise.all([gone(revoked), gone(alsoRevoked)]);
    expect(await other.request()).toMatchObject({ status: 403, finding: { reason: 'other-organisation' } });
  });
});
