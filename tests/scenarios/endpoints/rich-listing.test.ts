import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonOf, type MeshReply, sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { bothRules, expectInvalid } from '../../kit/wire-answers.ts';

interface Listing {
  readonly valid_at: string;
  readonly messages: readonly Readonly<Record<string, unknown>>[];
  readonly links: { readonly self: string; readonly next?: string };
}

const dayMs = 86_400_000;
const idsOf = ({ messages }: Listing): unknown[] => messages.map((each) => each['message_id']);

describe.each(bothRules)('rich listings under the %s rules', (rules) => {
  let exchange: ExchangeInProcess;
  let acknowledged = '';
  let uploading = '';
  let waiting = '';
  beforeAll(async () => {
    exchange = await ExchangeInProcess.start({ rules, tls: 'off' });
    const sender = exchange.client('X26ABC1');
    const target = { to: 'X26ABC2', workflowId: 'WF1' };
    acknowledged = sentIdOf(await sender.send({ ...target, localId: 'lid' }, 'x'));
    await exchange.client('X26ABC2').acknowledge(acknowledged);
    uploading = sentIdOf(await sender.send({ ...target, chunkRange: '1:3' }, 'x'));
    waiting = sentIdOf(await sender.send(target, 'x'));
  });
  afterAll(() => exchange.stop());

  const get = (mailbox: string, path: string, version: 1 | 2 = 2): Promise<MeshReply> =>
    exchange.client(mailbox, { version }).request('GET', path);
  const listing = async (mailbox: string, path: string): Promise<Listing> =>
    jsonOf(await get(mailbox, path)) as Listing;
  const instant = rules === 'live' ? /T\d\d:\d\d:\d\d\.\d{6}\+00:00$/ : /T\d\d:\d\d:\d\d\.\d{6}$/;

  it.each(['inbox', 'outbox'] as const)(
    'shows in the %s every state, newest first, in the form of version 2 in both versions',
    async (box) => {
      const mailbox = box === 'inbox' ? 'X26ABC2' : 'X26ABC1';
      // What is still being uploaded is in nobody's inbox.
      const expected = box === 'inbox' ? [waiting, acknowledged] : [waiting, uploading, acknowledged];
      for (const version of [1, 2] as const) {
        const reply = await get(mailbox, `/${box}/rich`, version);
        expect([reply.status, reply.headers['content-type']]).toEqual([200, 'application/vnd.mesh.v2+json']);
        const body = jsonOf(reply) as Listing;
        expect(idsOf(body)).toEqual(expected);
        expect(body.valid_at).toMatch(instant);
        expect(body.messages.at(-1)).toEqual({
          message_id: acknowledged,
          expiry_timestamp: expect.stringMatching(instant),
          local_id: 'lid',
          message_type: 'DATA',
          recipient: 'X26ABC2',
          recipient_name: 'TESTMB2',
          sender: 'X26ABC1',
          sender_name: 'TESTMB1',
          sent_date: expect.stringMatching(instant),
          status: 'acknowledged',
          ...(box === 'outbox' ? { status_code: '' } : {}),
          workflow_id: 'WF1',
          total_chunks: 1,
        });
      }
    },
  );

  it('shows nobody else’s messages', async () => {
    expect(idsOf(await listing('Y99ABC3', '/inbox/rich'))).toEqual([]);
    expect(idsOf(await listing('Y99ABC3', '/outbox/rich'))).toEqual([]);
  });

  it('pages by links that stay valid', async () => {
    const first = await listing('X26ABC2', '/inbox/rich?max_results=1');
    expect(idsOf(first)).toEqual([waiting]);
    expect(first.links.self).toBe('/messageexchange/X26ABC2/inbox/rich?max_results=1');
    const next = await exchange.client('X26ABC2').requestAt('GET', first.links.next ?? '');
    expect(idsOf(jsonOf(next) as Listing)).toEqual([acknowledged]);
    expect((jsonOf(next) as Listing).links).not.toHaveProperty('next');
  });

  it('shows only what was made after the start time', async () => {
    const later = encodeURIComponent(new Date(exchange.clock.nowMs() + dayMs).toISOString());
    expect(idsOf(await listing('X26ABC2', `/inbox/rich?start_time=${later}`))).toEqual([]);
    const earlier = encodeURIComponent(new Date(exchange.clock.nowMs() - dayMs).toISOString());
    expect(idsOf(await listing('X26ABC2', `/inbox/rich?start_time=${earlier}`))).toEqual([waiting, acknowledged]);
  });

  it.each([
    ['/inbox/rich?max_results=0', 'max_results', 'greater_than_equal'],
    ['/inbox/rich?max_results=2001', 'max_results', 'less_than_equal'],
    ['/outbox/rich?max_results=9', 'max_results', 'greater_than_equal'],
    ['/outbox/rich?max_results=5001', 'max_results', 'less_than_equal'],
    ['/inbox/rich?start_time=yesterday', 'start_time', 'datetime_parsing'],
    [
      '/inbox/rich?continue_from=%21%21%21%21%21%21%21%21%21%21%21%21%21%21%21%21%21%21%21%21%21%21%21%21%21',
      'continue_from',
      'value_error',
    ],
  ])('answers 400 for %s', async (path, name, type) => {
    expectInvalid(await get('X26ABC2', path), [{ type, loc: ['query', name] }]);
  });
});
