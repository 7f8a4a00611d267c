import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listedIdsOf, type MeshReply, type MeshRequestOptions, sentIdOf } from '../kit/mesh-client.ts';
import { ExchangeInProcess } from '../kit/running-exchange.ts';
import { bothRules } from '../kit/wire-answers.ts';
import { rules, type Table } from './client-rules.ts';

describe.each(bothRules)('the rules that real clients break on, under the %s rules', (wireRules) => {
  let table: Table;
  beforeAll(async () => {
    const exchange = await ExchangeInProcess.start({ rules: wireRules, tls: 'off' });
    const send = async ({ headers, body = 'payload' }: MeshRequestOptions = {}): Promise<string> =>
      sentIdOf(
        await exchange.client('X26ABC1').send({ to: 'X26ABC2', workflowId: 'WF' }, body, { headers: headers ?? {} }),
      );
    const report = async (): Promise<MeshReply> => {
      await send();
      exchange.clock.advance(5 * 86_400_000 + 1000);
      await exchange.runDueWork();
      const sender = exchange.client('X26ABC1');
      return sender.download(listedIdsOf(await sender.list()).at(-1) ?? '');
    };
    table = { exchange, send, report };
  });
  afterAll(() => table.exchange.stop());

  it.each(rules)('$number: $promise', (rule) => rule.hold(table));
});

describe('rules that need an exchange of their own', () => {
  it('10: a request answered 429 has not used its token up', async () => {
    const settings = { OPENMESH_THROTTLE_REQUESTS_PER_SECOND: '1', OPENMESH_THROTTLE_BURST: '1' };
    await using exchange = await ExchangeInProcess.start({ tls: 'off', settings });
    exchange.clock.freeze(exchange.clock.nowMs());
    const client = exchange.client('X26ABC1');
    await client.count();
    const authorization = client.authorization();
    expect((await client.count({ authorization })).status).toBe(429);
    exchange.clock.advance(1000);
    expect((await client.count({ authorization })).status).toBe(200);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('12: %s is spoken', async (version) => {
    await using exchange = await ExchangeInProcess.start();
    const secure = exchange.client('X26ABC1', { secureVersion: version });
    expect((await secure.list()).status).toBe(200);
  });
});

describe('the table itself', () => {
  it('names all 25 rules', () => {
    const numbers = [...rules.map(({ number }) => number), 10, 12].sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 25 }, (_each, at) => at + 1));
  });
});
