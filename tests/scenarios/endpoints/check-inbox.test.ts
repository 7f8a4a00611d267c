import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonOf, listedIdsOf, type MeshClient, type MeshReply, sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { bothRules, expectInvalid, versions } from '../../kit/wire-answers.ts';

interface Page {
  readonly messages: readonly string[];
  readonly links: { readonly self: string; readonly next?: string };
  readonly approx_inbox_count: number;
}

const pageOf = (reply: MeshReply): Page => jsonOf(reply) as Page;

/** Follows an absolute path of `links`, as the Python client does. */
const follow = (client: MeshClient, link: string | undefined): Promise<MeshReply> =>
  client.requestAt('GET', link ?? '/no-link');

describe.each(bothRules)('the inbox under the %s rules', (rules) => {
  let exchange: ExchangeInProcess;
  let mailboxes = 0;
  beforeAll(async () => {
    exchange = await ExchangeInProcess.start({ rules, tls: 'off' });
  });
  afterAll(() => exchange.stop());

  /** A fresh mailbox with one message for each workflow id, oldest first. */
  async function inboxWith(workflows: readonly string[]): Promise<{ mailbox: string; ids: string[] }> {
    mailboxes += 1;
    const mailbox = `X26BOX${mailboxes}`;
    await exchange.change({ mailboxes: [{ id: mailbox }] });
    const sender = exchange.client('X26ABC1');
    const ids: string[] = [];
    for (const workflowId of workflows) ids.push(sentIdOf(await sender.send({ to: mailbox, workflowId }, 'x')));
    return { mailbox, ids };
  }

  it('lists nothing in an empty inbox: no link to go on, and a count of 0', async () => {
    const { mailbox } = await inboxWith([]);
    expect(jsonOf(await exchange.client(mailbox).list())).toEqual({
      messages: [],
      links: { self: `/messageexchange/${mailbox}/inbox` },
      approx_inbox_count: 0,
    });
    expect(jsonOf(await exchange.client(mailbox, { version: 1 }).list())).toEqual({ messages: [] });
  });

  it('pages oldest first through path-absolute links until none is left, every message once', async () => {
    const { mailbox, ids } = await inboxWith(Array.from({ length: 25 }, () => 'WF'));
    const reader = exchange.client(mailbox.toLowerCase());
    const seen: string[] = [];
    let page = pageOf(await reader.list({ maxResults: 10 }));
    expect(page.links.self).toBe(`/messageexchange/${mailbox}/inbox?max_results=10`);
    for (;;) {
      seen.push(...page.messages);
      expect(page.approx_inbox_count).toBe(25);
      if (page.links.next === undefined) break;
      expect(page.links.next).toMatch(new RegExp(`^/messageexchange/${mailbox}/inbox\\?max_results=10&continue_from=`));
      page = pageOf(await follow(reader, page.links.next));
    }
    expect(seen).toEqual(ids);
  });

  it('shows max_results in the links only when it is not 500, and the filter only when given, encoded', async () => {
    const { mailbox } = await inboxWith(['WF 1']);
    const reader = exchange.client(mailbox);
    const selfOf = async (query: Parameters<MeshClient['list']>[0]): Promise<string> =>
      pageOf(await reader.list(query)).links.self;
    expect(await selfOf({ maxResults: 500 })).toBe(`/messageexchange/${mailbox}/inbox`);
    expect(await selfOf({ maxResults: 10, workflowFilter: 'WF*' })).toBe(
      `/messageexchange/${mailbox}/inbox?max_results=10&workflow_filter=WF%2A`,
    );
  });

  it('goes on behind a message that was acknowledged meanwhile: nothing is skipped, nothing is seen twice', async () => {
    const { mailbox, ids } = await inboxWith(Array.from({ length: 25 }, () => 'WF'));
    const reader = exchange.client(mailbox);
    const first = pageOf(await reader.list({ maxResults: 10 }));
    for (const id of first.messages) await reader.acknowledge(id);
    const second = pageOf(await follow(reader, first.links.next));
    expect(second.messages).toEqual(ids.slice(10, 20));
    expect(second.approx_inbox_count).toBe(15);
    const byId = await exchange.client(mailbox, { version: 1 }).list({ maxResults: 10, continueFrom: ids[9] ?? '' });
    expect(jsonOf(byId)).toEqual({ messages: ids.slice(10, 20) });
  });

  it('honours max_results and a last message id in version 1, which has no links', async () => {
    const { mailbox, ids } = await inboxWith(Array.from({ length: 12 }, () => 'WF'));
    const reader = exchange.client(mailbox, { version: 1 });
    expect(jsonOf(await reader.list({ maxResults: 10 }))).toEqual({ messages: ids.slice(0, 10) });
    expect(jsonOf(await reader.list({ continueFrom: ids[9] ?? '' }))).toEqual({ messages: ids.slice(10) });
  });

  it('keeps its page tokens over a restart', async () => {
    const { mailbox, ids } = await inboxWith(Array.from({ length: 11 }, () => 'WF'));
    const { links } = pageOf(await exchange.client(mailbox).list({ maxResults: 10 }));
    await exchange.restart();
    expect(pageOf(await follow(exchange.client(mailbox), links.next)).messages).toEqual(ids.slice(10));
  });

  it.each([
    ['A1', ['A1']],
    ['A*', ['A1', 'A2']],
    ['*1', ['A1', 'B1', 'a1']],
    ['*B*', ['B1', 'xBx']],
    ['!A1', ['A2', 'B1', 'xBx', 'a1']],
    ['!A*', ['B1', 'xBx', 'a1']],
    ['!*B*', ['A1', 'A2', 'a1']],
    ['a1', ['a1']],
    ['**', ['A1', 'A2', 'B1', 'xBx', 'a1']],
  ])('filters by %s, case and all', async (workflowFilter, expected) => {
    const workflows = ['A1', 'A2', 'B1', 'xBx', 'a1'];
    const { mailbox, ids } = await inboxWith(workflows);
    for (const version of versions) {
      const reply = await exchange.client(mailbox, { version }).list({ workflowFilter });
      expect(listedIdsOf(reply).map((id) => workflows[ids.indexOf(id)])).toEqual(expected);
    }
  });

  it('counts the whole inbox whatever the filter', async () => {
    const { mailbox } = await inboxWith(['A1', 'A2', 'B1']);
    const page = pageOf(await exchange.client(mailbox).list({ workflowFilter: 'NONE' }));
    expect(page).toEqual({
      messages: [],
      links: { self: `/messageexchange/${mailbox}/inbox?workflow_filter=NONE` },
      approx_inbox_count: 3,
    });
  });

  it('lists neither messages still uploading nor acknowledged ones', async () => {
    const { mailbox, ids } = await inboxWith(['WF', 'WF']);
    await exchange.client('X26ABC1').send({ to: mailbox, workflowId: 'WF', chunkRange: '1:2' }, 'one');
    const reader = exchange.client(mailbox);
    await reader.acknowledge(ids[0] ?? '');
    expect(pageOf(await reader.list())).toMatchObject({ messages: ids.slice(1), approx_inbox_count: 1 });
  });

  describe.each(versions)('in version %i', (version) => {
    it.each([
      ['max_results=9', { type: 'greater_than_equal', loc: ['query', 'max_results'] }],
      ['max_results=5001', { type: 'less_than_equal', loc: ['query', 'max_results'] }],
      ['max_results=ten', { type: 'int_parsing', loc: ['query', 'max_results'] }],
      ['continue_from=short', { type: 'string_too_short', loc: ['query', 'continue_from'] }],
      [`continue_from=${'x'.repeat(1001)}`, { type: 'string_too_long', loc: ['query', 'continue_from'] }],
      ['continue_from=20200101000000000000_ABCDEF', { type: 'value_error', loc: ['query', 'continue_from'] }],
      ['continue_from=gAAAAABr-not-one-of-our-tokens%3D', { type: 'value_error', loc: ['query', 'continue_from'] }],
      ['workflow_filter=W', { type: 'string_too_short', loc: ['query', 'workflow_filter'] }],
      [`workflow_filter=${'w'.repeat(256)}`, { type: 'string_too_long', loc: ['query', 'workflow_filter'] }],
    ])('answers 400 for %s', async (query, field) => {
      expectInvalid(await exchange.client('X26ABC1', { version }).request('GET', `/inbox?${query}`), [field]);
    });

    it('does not let a position or a message of another inbox be seen through a token', async () => {
      const other = await inboxWith(['WF']);
      const mine = await inboxWith(['WF']);
      const reply = await exchange.client(mine.mailbox, { version }).list({ continueFrom: other.ids[0] ?? '' });
      expectInvalid(reply, [{ type: 'value_error', loc: ['query', 'continue_from'] }]);
    });

    it('ignores query parameters it does not know', async () => {
      const reply = await exchange.client('X26ABC1', { version }).request('GET', '/inbox?nonsense=1&x');
      expect(reply.status).toBe(200);
    });
  });
});

describe('a filtered page that examined its fill', () => {
  it('may be empty and still says how to go on', async () => {
    await using exchange = await ExchangeInProcess.start({ tls: 'off' });
    const sender = exchange.client('X26ABC1', { socketsMax: 64 });
    const send = async (workflowId: string): Promise<string> =>
      sentIdOf(await sender.send({ to: 'X26ABC2', workflowId }, 'x'));
    for (let sent = 0; sent < 5001; sent += 500) await Promise.all(Array.from({ length: 500 }, () => send('OTHER')));
    const wanted = await send('WANTED');
    const reader = exchange.client('X26ABC2');
    const first = pageOf(await reader.list({ workflowFilter: 'WANTED' }));
    expect(first).toMatchObject({ messages: [], links: { next: expect.stringContaining('workflow_filter=WANTED') } });
    expect(pageOf(await follow(reader, first.links.next)).messages).toEqual([wanted]);
  });
});

describe('counting', () => {
  it.each(bothRules)('gives the waiting messages in the form of each version, under the %s rules', async (rules) => {
    await using exchange = await ExchangeInProcess.start({ rules, tls: 'off' });
    const sender = exchange.client('X26ABC1');
    const ids: string[] = [];
    for (let sent = 0; sent < 3; sent += 1)
      ids.push(sentIdOf(await sender.send({ to: 'X26ABC2', workflowId: 'WF' }, 'x')));
    await sender.send({ to: 'X26ABC2', workflowId: 'WF', chunkRange: '1:2' }, 'x');
    await exchange.client('X26ABC2').acknowledge(ids[0] ?? '');
    expect(jsonOf(await exchange.client('X26ABC2').count())).toEqual({ count: 2 });
    expect(jsonOf(await exchange.client('X26ABC2', { version: 1 }).count())).toEqual({
      count: 2,
      internalID: expect.stringMatching(/^\d{17}_[0-9a-f]{8}$/),
      allResultsIncluded: true,
    });
  });
});
