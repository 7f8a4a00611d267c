import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonOf, listedIdsOf, type MeshClient, type MeshReply, sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { bothRules, expectError, expectInvalid, versions } from '../../kit/wire-answers.ts';

const dayMs = 86_400_000;
const reused = {
  status: 417,
  event: 'SEND',
  code: 'IdempotencyKeyReused',
  text: 'Idempotency-Key has been used for another message',
};

describe.each(bothRules)('a send with an idempotency key, under the %s rules', (rules) => {
  let exchange: ExchangeInProcess;
  let keys = 0;
  beforeAll(async () => {
    exchange = await ExchangeInProcess.start({ rules, tls: 'off' });
  });
  afterAll(() => exchange.stop());

  const freshKey = (): string => {
    keys += 1;
    return `key-${keys}`;
  };
  const send = (
    key: string,
    body: string | Uint8Array = 'payload',
    headers: Record<string, string> = {},
    client: MeshClient = exchange.client('X26ABC1'),
  ): Promise<MeshReply> =>
    client.send({ to: 'X26ABC2', workflowId: 'WF' }, body, { headers: { 'Idempotency-Key': key, ...headers } });
  const waiting = async (): Promise<readonly string[]> => listedIdsOf(await exchange.client('X26ABC2').list());

  it.each(versions)('answers a repeat with the first id, and delivers once, in version %i', async (version) => {
    const client = exchange.client('X26ABC1', { version });
    for (const body of ['payload', new Uint8Array(100_000)]) {
      const key = freshKey();
      const first = await send(key, body, {}, client);
      const second = await send(key, body, {}, client);
      expect([first.status, second.status]).toEqual([202, 202]);
      expect(jsonOf(second)).toEqual(jsonOf(first));
      expect((await waiting()).filter((id) => id === sentIdOf(first))).toHaveLength(1);
    }
  });

  it('delivers once when both are sent at the same time', async () => {
    const key = freshKey();
    const before = (await waiting()).length;
    const replies = await Promise.all([1, 2, 3, 4].map(() => send(key, 'payload', {}, exchange.client('X26ABC1'))));
    expect(new Set(replies.map(sentIdOf)).size).toBe(1);
    expect((await waiting()).length).toBe(before + 1);
  });

  it.each([
    ['another body', 'other', {}],
    ['another subject', 'payload', { 'Mex-Subject': 'other' }],
    ['another recipient', 'payload', { 'Mex-To': 'Y99ABC3' }],
    ['another encoding', 'payload', { 'Content-Encoding': 'gzip' }],
  ])('refuses the key with %s', async (_what, body, headers) => {
    const key = freshKey();
    await send(key);
    expectError(await send(key, body, headers), 2, reused);
  });

  it('keeps the keys of two senders apart', async () => {
    const key = freshKey();
    const mine = sentIdOf(await send(key));
    const theirs = sentIdOf(await send(key, 'payload', {}, exchange.client('Y99ABC3')));
    expect(theirs).not.toBe(mine);
  });

  it('remembers over a restart', async () => {
    const key = freshKey();
    const first = sentIdOf(await send(key));
    await exchange.restart();
    expect(sentIdOf(await send(key))).toBe(first);
  });

  it('serves the corrected send after a refused one', async () => {
    const key = freshKey();
    expect((await send(key, '')).status).toBe(417);
    expect((await send(key, 'payload', { 'Mex-To': 'NOBODY9' })).status).toBe(417);
    expect((await send(key)).status).toBe(202);
  });

  it('answers the repeat of a refused send with the same refusal, and reports it once', async () => {
    const key = freshKey();
    const sender = exchange.client('X26ABC1');
    const before = listedIdsOf(await sender.list()).length;
    const first = await send(key, 'payload', { 'Mex-To': 'NOBODY9' });
    const again = await send(key, 'payload', { 'Mex-To': 'NOBODY9' });
    expect([first.status, again.status]).toEqual([417, 417]);
    expect(jsonOf(again)).toEqual(jsonOf(first));
    expect(listedIdsOf(await sender.list()).length - before).toBe(rules === 'live' ? 1 : 0);
  });

  it('answers the repeat of a first chunk with its id, and the upload goes on', async () => {
    const key = freshKey();
    const sender = exchange.client('X26ABC1');
    const first = sentIdOf(await send(key, 'one;', { 'Mex-Chunk-Range': '1:2' }));
    expect(sentIdOf(await send(key, 'one;', { 'Mex-Chunk-Range': '1:2' }))).toBe(first);
    expect((await sender.sendChunk(first, 2, 2, 'two')).status).toBe(202);
    expect(await waiting()).toContain(first);
  });

  it.each(['', 'k'.repeat(65), 'with blank', 'umlaut-é'])('refuses the malformed key %o with 400', async (key) => {
    expectInvalid(await send(key), [{ type: 'value_error', loc: ['header', 'idempotency-key'] }]);
  });

  it('forgets a key after 30 days', async () => {
    const key = freshKey();
    const first = sentIdOf(await send(key));
    exchange.clock.advance(30 * dayMs + 1000);
    await exchange.rooms.ledger.jobs.sweepIdempotencyKeys({ nowMs: exchange.clock.nowMs(), limit: 1000 });
    expect(sentIdOf(await send(key, 'another'))).not.toBe(first);
  });
});
