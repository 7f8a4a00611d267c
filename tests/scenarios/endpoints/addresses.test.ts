import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonOf, listedIdsOf, sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { bothRules, expectError, versions } from '../../kit/wire-answers.ts';

describe.each(bothRules)('addresses under the %s rules', (rules) => {
  let exchange: ExchangeInProcess;
  beforeAll(async () => {
    exchange = await ExchangeInProcess.start({ rules });
  });
  afterAll(() => exchange.stop());

  describe.each(versions)('in version %i', (version) => {
    it.each([
      '/',
      '/nothing',
      '/messageexchange',
      '/messageexchange/',
      '/messageexchange/X26ABC1/nothing',
      '/messageexchange/X26ABC1/inbox/a/1/2',
      '/messageexchange/X26ABC1/outbox/a/1/2',
      '/messageexchange/X26ABC1/inbox/a/status/other',
      '/messageexchange/X26ABC1/outbox/tracking/a/b',
      '/messageexchange/_ping/more',
      '/messageexchange/workflowsearch/a/b',
      '/messageexchange/X26ABC1/inbox/%ZZ',
      '/messageexchange/%C0%AF/inbox',
      '/admin/reset',
      '/messageexchange/admin/reset',
      '/messageexchange/mailbox/X26ABC1',
    ])('answers %s with 404 in the shape of the version', async (path) => {
      const reply = await exchange.client('X26ABC1', { version }).requestAt('GET', path);
      expectError(reply, version, { status: 404, text: 'Not Found' });
    });

    it.each([
      ['GET', '/outbox', ['POST']],
      ['DELETE', '/inbox', ['GET']],
      ['PUT', '', ['GET', 'POST']],
      ['POST', '/inbox/20200101000000000000_ABCDEF', ['GET', 'HEAD']],
      ['PATCH', '/outbox/20200101000000000000_ABCDEF/1', ['POST']],
      ['GET', '/inbox/20200101000000000000_ABCDEF/status/acknowledged', ['PUT']],
      ['POST', '/count', ['GET']],
      ['POST', '/outbox/tracking', ['GET']],
    ])('answers %s %s with 405 and the methods that are allowed', async (method, path, allowed) => {
      const reply = await exchange.client('X26ABC1', { version }).request(method, path);
      expectError(reply, version, { status: 405, text: 'Method Not Allowed' });
      expect(reply.headers['allow']?.split(', ').sort()).toEqual(allowed);
    });

    it('serves an address with a slash at its end like the one without, and never redirects', async () => {
      const sender = exchange.client('X26ABC1', { version });
      const reader = exchange.client('X26ABC2', { version });
      const headers = { 'Mex-To': 'X26ABC2', 'Mex-WorkflowID': 'WF' };
      const id = sentIdOf(await sender.request('POST', '/outbox/', { headers, body: 'payload' }));
      const statuses = [
        await reader.request('GET', '/inbox/'),
        await reader.request('GET', '/count/'),
        await reader.request('GET', `/inbox/${id}/`),
        await reader.request('GET', `/inbox/${id}/1/`),
        await reader.request('HEAD', `/inbox/${id}/`),
        await sender.request('GET', `/outbox/tracking/?messageID=${id}`),
        await reader.request('PUT', `/inbox/${id}/status/acknowledged/`),
      ].map(({ status }) => status);
      expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 200]);
    });

    it.each([
      [undefined, 1],
      ['', 1],
      ['*/*', 1],
      ['application/json', 1],
      ['application/octet-stream', 1],
      ['application/vnd.mesh.v1+json', 1],
      ['application/vnd.mesh.v2+json', 2],
      ['application/vnd.mesh.v2+json;q=0.9', 2],
      ['application/vnd.mesh.v3+json', 2],
      ['application/vnd.mesh.v1+json, application/vnd.mesh.v2+json', 2],
      ['text/html, application/vnd.mesh.v2+json', 2],
    ])('reads Accept %o as version %i', async (accept, expected) => {
      const client = exchange.client('X26ABC1', { accept: accept ?? null });
      const reply = await client.list();
      expect(reply.headers['content-type']).toBe(expected === 1 ? 'application/json' : 'application/vnd.mesh.v2+json');
      expect(listedIdsOf(reply)).toEqual([]);
    });
  });

  it.each(['application/vnd.mesh.vX+json', 'application/vnd.mesh+json'])(
    'answers 400 for Accept %o',
    async (accept) => {
      const reply = await exchange.client('X26ABC1', { accept }).list();
      expectError(reply, 1, { status: 400, text: 'Accept header api format incorrect' });
    },
  );

  it('tells nobody by a 404 whether a mailbox exists: an unknown path needs no token', async () => {
    const replies = await Promise.all(
      ['X26ABC1', 'NOBODY9'].map((id) => exchange.client(id).request('GET', '/nothing', { authorization: null })),
    );
    expect(replies.map((reply) => [reply.status, jsonOf(reply)])).toEqual([
      [404, { detail: [{ event: '', code: '', msg: 'Not Found' }] }],
      [404, { detail: [{ event: '', code: '', msg: 'Not Found' }] }],
    ]);
  });
});
