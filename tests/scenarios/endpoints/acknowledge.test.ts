import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonOf, listedIdsOf, sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { bothRules, expectError, versions } from '../../kit/wire-answers.ts';

const notThere = { status: 404, event: 'RECEIVE', code: '20', text: 'Message does not exist' };

describe.each(bothRules)('acknowledging under the %s rules', (rules) => {
  let exchange: ExchangeInProcess;
  beforeAll(async () => {
    exchange = await ExchangeInProcess.start({ rules });
  });
  afterAll(() => exchange.stop());

  const send = async (chunkRange = '1:1'): Promise<string> =>
    sentIdOf(await exchange.client('X26ABC1').send({ to: 'X26ABC2', workflowId: 'WF', chunkRange }, 'payload'));

  describe.each(versions)('in version %i', (version) => {
    it('answers 200 in the form of the version, takes the message out of the inbox, and again changes nothing', async () => {
      const reader = exchange.client('X26ABC2', { version });
      const id = await send();
      for (let time = 0; time < 2; time += 1) {
        const reply = await reader.acknowledge(id);
        expect(reply.status).toBe(200);
        if (version === 1) expect(jsonOf(reply)).toEqual({ messageId: id });
        else expect(reply).toMatchObject({ body: Buffer.alloc(0), headers: { 'content-length': '0' } });
        expect(listedIdsOf(await reader.list())).not.toContain(id);
      }
      const acknowledged = (await exchange.timeline(id)).filter(({ kind }) => kind === 'acknowledged');
      expect(acknowledged).toHaveLength(1);
    });

    it('ignores a body, and takes a lower-case id', async () => {
      const reader = exchange.client('X26ABC2', { version });
      const id = await send();
      const reply = await reader.request('PUT', `/inbox/${id.toLowerCase()}/status/acknowledged`, {
        body: '{"messageId":"x"}',
        headers: { 'Content-Type': 'application/octet-stream' },
      });
      expect(reply.status).toBe(200);
      expect(listedIdsOf(await reader.list())).not.toContain(id);
    });

    it('answers 404 for an unknown id and 403 for a message of another recipient, its sender included', async () => {
      const id = await send();
      for (const unknown of ['20200101000000000000_ABCDEF', 'no-id'])
        expectError(await exchange.client('X26ABC2', { version }).acknowledge(unknown), version, notThere);
      for (const other of ['X26ABC1', 'Y99ABC3']) {
        const reply = await exchange.client(other, { version }).acknowledge(id);
        expectError(reply, version, { status: 403, text: 'Forbidden' });
      }
      expect(listedIdsOf(await exchange.client('X26ABC2').list())).toContain(id);
    });

    it('answers 200 and changes nothing for a message that is still uploading', async () => {
      const reader = exchange.client('X26ABC2', { version });
      const id = await send('1:2');
      expect((await reader.acknowledge(id)).status).toBe(200);
      const sender = exchange.client('X26ABC1');
      expect((await sender.sendChunk(id, 2, 2, 'two')).status).toBe(202);
      expect(listedIdsOf(await reader.list())).toContain(id);
    });
  });

  it('knows nothing of other words than acknowledged', async () => {
    const reply = await exchange.client('X26ABC2').request('PUT', `/inbox/${await send()}/status/received`);
    expectError(reply, 2, { status: 404, text: 'Not Found' });
  });
});
