import { describe, expect, it } from 'vitest';
import { testCertificates } from '../../kit/certificates.ts';
import type { MeshClient } from '../../kit/mesh-client.ts';
import { RawConnection } from '../../kit/raw-connection.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { expectError, versions } from '../../kit/wire-answers.ts';

const settings = {
  OPENMESH_THROTTLE_REQUESTS_PER_SECOND: '2',
  OPENMESH_THROTTLE_BURST: '3',
  OPENMESH_UNAUTHENTICATED_PER_SECOND: '1',
};

describe('throttling', () => {
  it.each(versions)('says 429, the limit and how long to wait, in the error shape of version %i', async (version) => {
    await using exchange = await ExchangeInProcess.start({ tls: 'off', settings });
    exchange.clock.freeze(exchange.clock.nowMs());
    const client = exchange.client('X26ABC1', { version });
    for (let time = 0; time < 3; time += 1) expect((await client.list()).status).toBe(200);
    const reply = await client.list();
    const text = 'Too Many Requests: the limit is 2 a second for each mailbox; retry after 1 s';
    expectError(reply, version, { status: 429, text });
    expect(reply.headers['retry-after']).toBe('1');
    expect((await exchange.refusals({ mailbox: 'X26ABC1' }))[0]).toMatchObject({
      reason: 'throttled',
      detail: 'told to wait 1 s',
      status: 429,
    });
  });

  it('leaves the token of a throttled request good, for clients that send it again as it was', async () => {
    await using exchange = await ExchangeInProcess.start({ tls: 'off', settings });
    exchange.clock.freeze(exchange.clock.nowMs());
    const client = exchange.client('X26ABC1');
    for (let time = 0; time < 3; time += 1) await client.list();
    const authorization = client.authorization();
    const send = async (): Promise<number> =>
      (await client.send({ to: 'X26ABC2', workflowId: 'WF' }, 'x', { authorization })).status;
    expect([await send(), await send()]).toEqual([429, 429]);
    exchange.clock.advance(1000);
    expect(await send()).toBe(202);
    expect(await send()).toBe(403);
  });

  it('holds each mailbox to its own limit', async () => {
    await using exchange = await ExchangeInProcess.start({ tls: 'off', settings });
    exchange.clock.freeze(exchange.clock.nowMs());
    for (let time = 0; time < 4; time += 1) await exchange.client('X26ABC1').list();
    expect((await exchange.client('X26ABC1').list()).status).toBe(429);
    expect((await exchange.client('X26ABC2').list()).status).toBe(200);
  });

  it('cannot be turned against a mailbox by a caller who has no right token for it', async () => {
    await using exchange = await ExchangeInProcess.start({ tls: 'off', settings });
    exchange.clock.freeze(exchange.clock.nowMs());
    const stranger = exchange.client('X26ABC1', { password: 'wrong' });
    for (let time = 0; time < 20; time += 1) expect((await stranger.list()).status).toBe(403);
    expect((await exchange.client('X26ABC1').list()).status).toBe(200);
  });

  it('holds look-ups to a limit for each address', async () => {
    await using exchange = await ExchangeInProcess.start({ tls: 'off', settings });
    exchange.clock.freeze(exchange.clock.nowMs());
    const client = exchange.client('X26ABC1');
    const ask = async (): Promise<number> =>
      (await client.requestAt('GET', '/messageexchange/workflowsearch/WF', { authorization: null })).status;
    const statuses: number[] = [];
    for (let time = 0; time < 12; time += 1) statuses.push(await ask());
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 200), 429, 429]);
    exchange.clock.advance(1000);
    expect(await ask()).toBe(200);
  });
});

/** What a balancer that passes connections through says first: PROXY protocol version 2, TCP over IPv4. */
function proxyHeader(client: readonly [number, number, number, number]): string {
  const signature = '\r\n\r\n\0\r\nQUIT\n';
  const addresses = [...client, 127, 0, 0, 1, 0x9c, 0x40, 0x22, 0x00];
  return Buffer.from([...Buffer.from(signature), 0x21, 0x11, 0, addresses.length, ...addresses]).toString('latin1');
}

describe('throttling of look-ups behind a balancer', () => {
  it('holds each caller to the limit by the address the balancer states, not all of them by its own', async () => {
    const behind = { OPENMESH_PROXY_PROTOCOL: 'v2', OPENMESH_TRUSTED_PROXIES: '127.0.0.0/8' };
    await using exchange = await ExchangeInProcess.start({ tls: 'off', settings: { ...settings, ...behind } });
    exchange.clock.freeze(exchange.clock.nowMs());
    const lookUp = async (client: readonly [number, number, number, number]): Promise<number | undefined> => {
      await using connection = await RawConnection.open(exchange);
      await connection.send(`${proxyHeader(client)}GET /messageexchange/workflowsearch/WF HTTP/1.1\r\nhost: x\r\n\r\n`);
      return (await connection.answer())?.status;
    };
    const greedy = [192, 0, 2, 1] as const;
    for (let time = 0; time < 10; time += 1) expect(await lookUp(greedy)).toBe(200);
    expect(await lookUp(greedy)).toBe(429);
    expect(await lookUp([192, 0, 2, 2])).toBe(200);
  });
});

describe('throttling of look-ups under one certificate', () => {
  it('holds each certificate to its limit, and nobody else with it', async () => {
    const rates = { OPENMESH_UNAUTHENTICATED_PER_SECOND: '0', OPENMESH_LOOKUPS_PER_SECOND: '1' };
    await using exchange = await ExchangeInProcess.start({ settings: rates });
    exchange.clock.freeze(exchange.clock.nowMs());
    const { clients } = await testCertificates();
    const path = '/messageexchange/endpointlookup/X26/WF';
    const ask = async (client: MeshClient): Promise<number> =>
      (await client.requestAt('GET', path, { authorization: null })).status;
    const greedy = exchange.client('X26ABC1');
    const statuses: number[] = [];
    for (let time = 0; time < 12; time += 1) statuses.push(await ask(greedy));
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 200), 429, 429]);
    expect(await ask(exchange.client('X26ABC1', { socketsMax: 1 }))).toBe(429);
    expect(await ask(exchange.client('Y99ABC3', { identity: clients.otherOrganisation }))).toBe(200);
    expect((await greedy.requestAt('GET', '/health', { authorization: null })).status).toBe(200);
    exchange.clock.advance(1000);
    expect(await ask(greedy)).toBe(200);
  });
});
