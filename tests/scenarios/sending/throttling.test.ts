import { describe, expect, it } from 'vitest';
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
