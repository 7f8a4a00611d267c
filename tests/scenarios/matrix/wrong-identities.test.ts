import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listedIdsOf, sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { createMailboxRoutes } from './mailbox-routes.ts';

const sender = 'X26ABC1';
const recipient = 'X26ABC2';
const stranger = 'Y99ABC3';

/** Who asks, as what the request carries: each must be turned away from every address of another's mailbox. */
const impostors = {
  'nobody, without a token': () => null,
  'a stranger with a right token of its own': () => exchange.client(stranger).authorization(),
  'a stranger who signs for the mailbox with its own password': () =>
    exchange.client(recipient).authorization({ password: 'not the password' }),
  'somebody with another shared key': () => exchange.client(recipient).authorization({ sharedKey: 'not the key' }),
  'somebody with a token of three hours ago': () =>
    exchange.client(recipient, { nowMs: () => exchange.clock.nowMs() - 3 * 3_600_000 }).authorization(),
} as const;

let exchange: ExchangeInProcess;
let waiting: string;
let upload: string;
beforeAll(async () => {
  exchange = await ExchangeInProcess.start({ rules: 'live', tls: 'off' });
});
afterAll(() => exchange.stop());
beforeEach(async () => {
  const to = { to: recipient, workflowId: 'WF', localId: 'matrix' };
  waiting = sentIdOf(await exchange.client(sender).send(to, 'for the recipient only'));
  upload = sentIdOf(await exchange.client(sender).send({ ...to, chunkRange: '1:2' }, 'half'));
});

/** Nothing that a turned-away request asked for has happened. */
async function expectUntouched(): Promise<void> {
  expect(listedIdsOf(await exchange.client(recipient).list())).toContain(waiting);
  const states = await Promise.all([waiting, upload].map((id) => exchange.rooms.ledger.messages.find(id as never)));
  expect(states.map((message) => message?.state)).toEqual(['accepted', 'uploading']);
}

describe.each(Object.entries(impostors))('%s', (_who, authorizationOfImpostor) => {
  it.each(createMailboxRoutes())('is refused by %s %s, and nothing happens', async (method, path) => {
    const absolute = path.replace('{mb}', recipient).replace('{id}', waiting).replace('{upload}', upload);
    const headers = { 'Mex-To': sender, 'Mex-WorkflowID': 'WF', 'Mex-ClientVersion': 'x', 'Mex-OSName': 'x' };
    const authorization = authorizationOfImpostor();
    const before = await exchange.rooms.ledger.messages.waitingCount(sender as never);
    const reply = await exchange.client(stranger).requestAt(method, absolute, { authorization, headers, body: 'x' });
    expect(reply.status).toBe(403);
    expect(await exchange.rooms.ledger.messages.waitingCount(sender as never)).toBe(before);
    await expectUntouched();
  });
});

describe('a stranger at an address of its own mailbox', () => {
  it.each([
    ['GET', '/inbox/{id}', [403]],
    ['GET', '/inbox/{id}/1', [403]],
    ['HEAD', '/inbox/{id}', [404]],
    ['PUT', '/inbox/{id}/status/acknowledged', [403]],
    ['GET', '/outbox/tracking?messageID={id}', [404]],
    ['GET', '/outbox/tracking/matrix', [404]],
    ['POST', '/outbox/{upload}/2', [403]],
  ] as const)('cannot reach another’s message by %s %s', async (method, path, allowed) => {
    const relative = path.replace('{id}', waiting).replace('{upload}', upload);
    const body = method === 'POST' ? { body: 'x' } : {};
    const reply = await exchange.client(stranger).request(method, relative, body);
    expect(allowed).toContain(reply.status);
    expect(reply.body.toString()).not.toContain('for the recipient only');
    await expectUntouched();
  });

  it('lists and counts nothing of another’s', async () => {
    expect(listedIdsOf(await exchange.client(stranger).list())).toEqual([]);
    for (const box of ['inbox', 'outbox']) {
      const reply = await exchange.client(stranger).request('GET', `/${box}/rich`);
      expect(reply.body.toString()).not.toContain(waiting);
    }
  });
});
