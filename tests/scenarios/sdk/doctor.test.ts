import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Check, type CheckName, type Diagnosis, doctor, type MeshClientOptions } from '@openmesh/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { otherAuthority, testCertificates } from '../../kit/certificates.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { sdkOptions } from '../../kit/sdk-client.ts';

let exchange: ExchangeInProcess;
beforeAll(async () => {
  exchange = await ExchangeInProcess.start();
  await exchange.change({
    workflows: [{ workflowId: 'WF' }],
    registrations: [{ workflowId: 'WF', role: 'responder', mailbox: 'X26ABC1' }],
  });
});
afterAll(() => exchange.stop());

const options = (more: Partial<MeshClientOptions> = {}): Promise<MeshClientOptions> =>
  sdkOptions(exchange, 'X26ABC1', more);

const statuses = ({ checks }: Diagnosis): Record<string, string> =>
  Object.fromEntries(checks.map(({ name, status }) => [name, status]));

function failure({ checks, isHealthy }: Diagnosis): Check {
  const failures = checks.filter(({ status }) => status === 'failed');
  expect([failures.length, isHealthy]).toEqual([1, false]);
  const [first] = failures;
  if (first === undefined) throw new Error('nothing failed');
  expect(first.fix).toMatch(/\w{3}.*[.?]$/);
  return first;
}

describe('the doctor', () => {
  it('finds nothing wrong where nothing is, warns of a certificate that ends soon, and tells each check as it ends', async () => {
    const told: CheckName[] = [];
    const diagnosis = await doctor(await options(), {
      workflow: { workflowId: 'WF' },
      onCheck: ({ name }) => void told.push(name),
    });
    expect(statuses(diagnosis)).toEqual({
      options: 'ok',
      name: 'ok',
      proxy: 'skipped',
      connection: 'ok',
      'server-certificate': expect.stringMatching(/ok|warning/),
      // The kit's certificates are good for a day.
      'client-certificate': 'warning',
      service: 'ok',
      clock: 'ok',
      mailbox: 'ok',
      inbox: 'ok',
      workflow: 'ok',
    });
    expect(diagnosis.isHealthy).toBe(true);
    expect(told).toEqual(diagnosis.checks.map(({ name }) => name));
  });

  it('leaves nothing among the refusals of a service at which it found nothing wrong', async () => {
    await using its = await ExchangeInProcess.start();
    expect((await doctor(await sdkOptions(its, 'X26ABC1'))).isHealthy).toBe(true);
    const connections = async (): Promise<string> => {
      const answer = await fetch(`http://127.0.0.1:${its.running.operatorsPort}/metrics`);
      return /^openmesh_connections_open (\d+)$/m.exec(await answer.text())?.[1] ?? '';
    };
    await expect.poll(connections, { timeout: 60_000, interval: 5 }).toBe('0');
    expect(await its.refusals()).toEqual([]);
  });

  it.each<[string, CheckName, Partial<MeshClientOptions>]>([
    ['a mailbox id that is none', 'options', { mailboxId: 'not a mailbox!' }],
    ['a limit that is none', 'options', { limits: { idleMs: -1 } }],
    ['a host that does not exist', 'name', { url: 'https://mesh.invalid' }],
    ['a port at which nobody listens', 'connection', { url: 'https://127.0.0.1:1' }],
    ['a proxy that is not there', 'proxy', { proxy: 'http://127.0.0.1:1' }],
    ['a wrong password', 'mailbox', { password: 'wrong' }],
    ['a wrong shared key', 'mailbox', { sharedKey: 'wrong' }],
    ['a mailbox that is disabled', 'mailbox', { mailboxId: 'X26OFF4' }],
    ['a mailbox that does not exist', 'mailbox', { mailboxId: 'NOBODY9' }],
  ])('names %s as the failure of "%s", with its fix, and skips what stands on it', async (_what, name, more) => {
    const diagnosis = await doctor(await options(more));
    expect(failure(diagnosis).name).toBe(name);
    expect(diagnosis.checks.map((check) => check.name)).toHaveLength(11);
  });

  it('tells a server certificate from an authority it does not know, and one for another name', async () => {
    const { clients } = await testCertificates();
    const certificate = { kind: 'pem', certificate: clients.x26.cert, key: clients.x26.key } as const;
    const unknown = await doctor(await options({ tls: { authorities: [await otherAuthority()], certificate } }));
    expect(failure(unknown)).toMatchObject({
      name: 'server-certificate',
      finding: expect.stringMatching(/not trusted/),
    });
    const authorities = [(await testCertificates()).authority];
    const renamed = await doctor(await options({ tls: { authorities, certificate, serverName: 'mesh.example.org' } }));
    expect(failure(renamed)).toMatchObject({ name: 'server-certificate', finding: expect.stringMatching(/ALTNAME/) });
  });

  it('tells an expired client certificate, a key of another one, and one the service refuses', async () => {
    const { authority, clients } = await testCertificates();
    const withCertificate = async (certificate: string, key: string): Promise<Diagnosis> =>
      doctor(await options({ tls: { authorities: [authority], certificate: { kind: 'pem', certificate, key } } }));
    const { expired, x26, revoked, wrongAuthority } = clients;
    const old = await withCertificate(expired.cert, expired.key);
    expect(old.checks.find(({ name }) => name === 'client-certificate')).toMatchObject({
      status: 'failed',
      finding: expect.stringMatching(/expired/),
    });
    expect(failure(await withCertificate(x26.cert, revoked.key)).name).toBe('options');
    expect(failure(await withCertificate(wrongAuthority.cert, wrongAuthority.key)).name).toMatch(/service|server-cert/);
  });

  it('tells clocks that differ, and a server that is no MESH', async () => {
    const offBy = (ms: number): Promise<MeshClientOptions> =>
      options({ surroundings: { nowMs: () => exchange.clock.nowMs() + ms } });
    expect(failure(await doctor(await offBy(3 * 3_600_000))).name).toBe('clock');
    expect(statuses(await doctor(await offBy(600_000)))['clock']).toBe('warning');

    const page = createServer((_request, response) => response.end('<html>'));
    page.listen(0, '127.0.0.1');
    await once(page, 'listening');
    const url = `http://127.0.0.1:${(page.address() as AddressInfo).port}`;
    const portal = await doctor(await options({ url }), {});
    page.close();
    expect(statuses(portal)).toMatchObject({ 'server-certificate': 'skipped', service: 'failed', mailbox: 'skipped' });
  });

  it('says who does not receive a workflow', async () => {
    const nobody = await doctor(await options(), { workflow: { workflowId: 'OTHER', odsCode: 'Y99' } });
    expect(failure(nobody)).toMatchObject({ name: 'workflow', finding: 'no mailbox of Y99 is registered for OTHER' });
    const onlySends = await doctor(await options(), { workflow: { workflowId: 'OTHER' } });
    expect(statuses(onlySends)['workflow']).toBe('warning');
  });

  it('repeats no secret, whatever is wrong', async () => {
    const secrets = { password: 'hunter2', sharedKey: 'swordfish', proxy: 'http://user:sesame@127.0.0.1:1' };
    const text = JSON.stringify([
      await doctor(await options(secrets)),
      await doctor(await options({ ...secrets, url: 'x' })),
    ]);
    expect(text).not.toMatch(/hunter2|swordfish|sesame/);
  });
});
