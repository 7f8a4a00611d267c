import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { otherAuthority, type TestCertificates, testCertificates } from '../../kit/certificates.ts';
import { type MeshClient, type MeshReply } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';
import { expectError } from '../../kit/wire-answers.ts';

const invalid = { status: 403, text: 'Invalid Authentication Token' };

describe('the certificate of every request', () => {
  let exchange: ExchangeInProcess;
  let certificates: TestCertificates;
  beforeAll(async () => {
    certificates = await testCertificates();
    const mailboxes = [
      { id: 'X26ABC1' },
      { id: 'X26ENF2', certificateMatch: 'enforce' as const },
      { id: 'X26DEL3', certificateMatch: 'enforce' as const, delegatedOdsCodes: ['z01', 'y99'] },
      { id: 'X26WARN4', certificateMatch: 'warn' as const },
      { id: 'X26ANY5', certificateMatch: 'off' as const },
    ];
    exchange = await ExchangeInProcess.start({ seeds: { mailboxes } });
  });
  afterAll(() => exchange.stop());

  const list = (mailbox: string, name: keyof TestCertificates['clients']): Promise<MeshReply> =>
    exchange.client(mailbox, { identity: certificates.clients[name] }).list();
  const newest = async (mailbox: string): Promise<unknown> => (await exchange.refusals({ mailbox }))[0];

  it('of the mailbox’s own organisation is taken under the strictest rule', async () => {
    expect((await list('X26ENF2', 'x26')).status).toBe(200);
  });

  it('of another organisation is refused under enforce: the caller is not told why, the owner is', async () => {
    expectError(await list('X26ENF2', 'otherOrganisation'), 2, invalid);
    expect(await newest('X26ENF2')).toMatchObject({
      reason: 'certificate-other-organisation',
      detail: 'The certificate belongs to Y99, which may not act for X26.',
      certificateSerial: expect.stringMatching(new RegExp(certificates.clients.otherOrganisation.serial, 'i')),
      status: 403,
    });
  });

  it('of an organisation the mailbox delegated to is taken, in any case of its code', async () => {
    expect((await list('X26DEL3', 'otherOrganisation')).status).toBe(200);
  });

  it('of another organisation is taken under warn, with a record', async () => {
    expect((await list('X26WARN4', 'otherOrganisation')).status).toBe(200);
    expect(await newest('X26WARN4')).toMatchObject({ reason: 'warned-certificate-other-organisation' });
  });

  it('of another organisation is taken under off, without a record', async () => {
    expect((await list('X26ANY5', 'otherOrganisation')).status).toBe(200);
    expect(await newest('X26ANY5')).toBeUndefined();
  });

  it('whose name holds no organisation is refused under enforce', async () => {
    expectError(await list('X26ENF2', 'oddSubject'), 2, invalid);
    expect(await newest('X26ENF2')).toMatchObject({ reason: 'certificate-unparsable-subject' });
  });

  it('is judged before the hash: a wrong password with it tells nothing more', async () => {
    const identity = certificates.clients.otherOrganisation;
    const reply = await exchange.client('X26ENF2', { identity, password: 'wrong' }).list();
    expectError(reply, 2, invalid);
    expect(await newest('X26ENF2')).toMatchObject({ reason: 'certificate-other-organisation' });
  });

  it('not issued for clients is refused on every address, those without a token included', async () => {
    const client = exchange.client('X26ANY5', { identity: certificates.clients.withoutUsage });
    const paths = ['/messageexchange/X26ANY5/inbox', '/messageexchange/_ping', '/messageexchange/workflowsearch/WF'];
    for (const path of paths) expectError(await client.requestAt('GET', path), 2, invalid);
    const records = await exchange.refusals({ reason: 'certificate-wrong-usage' });
    const operations = new Set(records.map(({ operation }) => operation));
    expect(operations).toEqual(new Set(['check-inbox', 'health', 'search-workflow']));
  });

  it.each([
    ['expired', 'certificate-expired'],
    ['notYetValid', 'certificate-not-yet-valid'],
    ['wrongAuthority', 'certificate-untrusted'],
    ['wrongUsage', 'certificate-wrong-usage'],
  ] as const)(
    'that is %s never gets past the handshake, and leaves a record without a mailbox',
    async (name, reason) => {
      exchange.clock.advance(1000);
      await expect(list('X26ANY5', name)).rejects.toThrow();
      expect((await exchange.refusals())[0]).toMatchObject({
        reason,
        mailbox: null,
        address: '127.0.0.1',
        status: null,
      });
    },
  );

  it('is asked for: a caller without one is not served', async () => {
    exchange.clock.advance(1000);
    await expect(exchange.client('X26ANY5', { identity: null }).list()).rejects.toThrow();
    expect((await exchange.refusals())[0]).toMatchObject({
      reason: 'certificate-missing',
      detail: expect.stringContaining('the caller sent no certificate'),
      mailbox: null,
    });
    // Alerts watch this: a certificate that is refused in the handshake counts as one that is refused later.
    const metrics = await fetch(`http://127.0.0.1:${exchange.running.operatorsPort}/metrics`);
    expect(await metrics.text()).toContain('openmesh_refusals_total{reason="certificate-missing"} 1\n');
  });

  it('that expires is refused on the connection that was open before', async () => {
    await using other = await ExchangeInProcess.start();
    const client = other.client('X26ABC1', { socketsMax: 1 });
    expect((await client.list()).status).toBe(200);
    other.clock.advance(2 * 86_400_000);
    expectError(await client.list(), 2, invalid);
    expect((await other.refusals({ mailbox: 'X26ABC1' }))[0]).toMatchObject({ reason: 'certificate-expired' });
  });

  it('that is revoked ends its open connection at once, mid-request too, and is refused from then on', async () => {
    await using other = await ExchangeInProcess.start();
    const { revoked, x26 } = certificates.clients;
    const client = other.client('X26ABC1', { identity: revoked, socketsMax: 1 });
    const bystander = other.client('X26ABC1', { identity: x26, socketsMax: 1 });
    expect((await client.list()).status).toBe(200);
    expect((await bystander.list()).status).toBe(200);
    const reached = Promise.withResolvers<void>();
    const upload = sendSlowly(client, reached.resolve);
    await reached.promise;
    const { serial, fingerprint } = revoked;
    await other.change({
      certificates: [{ fingerprint, serial, subject: 'revoked', mailboxId: null, revokedAtMs: other.clock.nowMs() }],
    });
    await expect(upload).rejects.toThrow();
    const again = other.client('X26ABC1', { identity: revoked });
    expectError(await again.list(), 2, invalid);
    expect((await other.refusals({ mailbox: 'X26ABC1' }))[0]).toMatchObject({ reason: 'certificate-revoked' });
    expect((await bystander.list()).status).toBe(200);
  });

  it('whose authority is taken away loses its open connection, and is refused from then on', async () => {
    await using folder = await temporaryFolder('authorities');
    const caFile = join(folder.path, 'ca.pem');
    const [ours, another] = [readFileSync(certificates.authorityFile, 'utf8'), await otherAuthority()];
    writeFileSync(caFile, ours);
    await using other = await ExchangeInProcess.start({ settings: { OPENMESH_TLS_CA_FILE: caFile } });
    const client = other.client('X26ABC1', { socketsMax: 1 });
    const ask = (): Promise<unknown> =>
      client.list().then(
        ({ status }) => status,
        () => 'refused',
      );
    expect(await ask()).toBe(200);
    writeFileSync(caFile, another);
    // The exchange looks at its files by itself; the connection is in use all the while.
    await expect.poll(ask, { timeout: 60_000, interval: 250 }).toBe('refused');
    await expect(other.client('X26ABC1').list()).rejects.toThrow();
  });
});

describe('a caller without an acceptable certificate, where the handshake lets it in', () => {
  it.each(['expired', 'notYetValid', 'wrongAuthority', null] as const)('is answered 400 (%s)', async (name) => {
    const settings = { OPENMESH_TLS_MISSING_CLIENT_CERTIFICATE: 'http-400' };
    await using exchange = await ExchangeInProcess.start({ settings });
    const { clients } = await testCertificates();
    const identity = name === null ? null : clients[name];
    for (const path of ['/messageexchange/X26ABC1/inbox', '/messageexchange/_ping']) {
      const reply = await exchange.client('X26ABC1', { identity }).requestAt('GET', path);
      expectError(reply, 2, { status: 400, text: 'No required SSL certificate was sent' });
    }
  });
});

/** An upload whose second half never comes; `reached` is called when its first half was taken. */
function sendSlowly(client: MeshClient, reached: () => void): Promise<MeshReply> {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(new Uint8Array(64 * 1024));
    reached();
    await new Promise<never>(() => undefined);
  }
  return client.send({ to: 'X26ABC1', workflowId: 'WF' }, body());
}
