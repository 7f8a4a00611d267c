import { createRouter, type MachineOperations } from '@openmesh/exchange/api/machines/routes.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiDescription, type DescribedOperation } from '../../kit/api-description.ts';
import { listedIdsOf, type MeshReply, type MeshRequestOptions, sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { bothRules, versions } from '../../kit/wire-answers.ts';

const description = new ApiDescription();
const filled = (path: string, id = '20200101000000000000_ABCDEF'): string =>
  path
    .replace('{mailbox_id}', 'X26ABC1')
    .replace('{message_id}', id)
    .replace('{chunk_number}', '1')
    .replace('{local_id}', 'ref')
    .replace('{ods_code}', 'X26')
    .replace('{workflow_id}', 'WF');

const find = (method: string, path: string): DescribedOperation => {
  const operation = description.operations.find((each) => each.method === method && each.path === path);
  return operation ?? expect.unreachable(`${method} ${path} is not described`);
};

/** A name in place of each operation, so that the router can be asked what it means by an address. */
const named = Object.fromEntries(
  Object.entries({
    handshake: 'handshake',
    sendMessage: 'send-message',
    sendChunk: 'send-chunk',
    checkInbox: 'check-inbox',
    countInbox: 'count-inbox',
    downloadMessage: 'download-message',
    downloadChunk: 'download-chunk',
    headMessage: 'head-message',
    acknowledge: 'acknowledge',
    trackOutbox: 'track-outbox',
    richInbox: 'rich-inbox',
    richOutbox: 'rich-outbox',
    clientUpdate: 'client-update',
    lookupEndpoint: 'lookup-endpoint',
    searchWorkflow: 'search-workflow',
    showWorkflows: 'show-workflows',
    listWorkflows: 'list-workflows',
    preflight: 'preflight',
    health: 'health',
  } satisfies Record<keyof MachineOperations, string>).map(([key, name]) => [key, { name }]),
) as unknown as MachineOperations;

describe('the description of the API', () => {
  it('holds only schemas that are schemas, and references that point somewhere', () => {
    expect(() => description.compileAll()).not.toThrow();
  });

  it('has the router’s methods at every address, by the same names, and every operation of the router', () => {
    const route = createRouter(named);
    const paths = Map.groupBy(description.operations, ({ path }) => path);
    for (const [path, described] of paths) {
      const meant = [...(route(filled(path))?.operations ?? [])].map(
        ([method, operation]) => `${method} ${operation?.name}`,
      );
      expect([path, new Set(described.map(({ method, name }) => `${method} ${name}`))]).toEqual([path, new Set(meant)]);
    }
    const all = new Set(Object.values(named).map((operation: { name: string }) => operation.name));
    expect(new Set(description.operations.map(({ name }) => name))).toEqual(all);
  });
});

describe.each(bothRules)('what the running server answers under the %s rules', (rules) => {
  let exchange: ExchangeInProcess;
  beforeAll(async () => {
    const settings = { OPENMESH_CHUNK_BYTES_MAX: '2000', OPENMESH_INLINE_BODY_BYTES_MAX: '1000' };
    exchange = await ExchangeInProcess.start({ rules, tls: 'off', settings });
    description.seen.clear();
  });
  afterAll(() => exchange.stop());

  async function ask(
    operation: DescribedOperation,
    version: 1 | 2,
    path: string,
    options: MeshRequestOptions = {},
    mailbox = 'X26ABC1',
  ): Promise<MeshReply> {
    const address = path.replace('X26ABC1', mailbox);
    const reply = await exchange.client(mailbox, { version }).requestAt(operation.method, address, options);
    const problems = description.check(operation, version, reply);
    expect({ asked: `${operation.method} ${address} v${version} → ${reply.status}`, problems }).toMatchObject({
      problems: [],
    });
    return reply;
  }

  describe.each(versions)('in version %i', (version) => {
    it.each(description.operations.filter(({ isOpen }) => !isOpen))('refusing: $method $path', async (operation) => {
      const reply = await ask(operation, version, filled(operation.path), { authorization: null });
      expect(reply.status).toBe(403);
    });

    it.each(description.operations)('not reading the version: $method $path', async (operation) => {
      const headers = { Accept: 'application/vnd.mesh.vX+json' };
      expect((await ask(operation, version, filled(operation.path), { headers })).status).toBe(400);
    });

    it('succeeding, and failing for reasons of its own, at every address', async () => {
      const mb = '/messageexchange/{mailbox_id}';
      const at = async (
        status: number,
        method: string,
        path: string,
        given: MeshRequestOptions & { id?: string; mailbox?: string; query?: string; chunk?: number } = {},
      ): Promise<MeshReply> => {
        const { id, mailbox, query = '', chunk = 1, ...options } = given;
        const address = filled(path.replace('{chunk_number}', String(chunk)), id) + query;
        const reply = await ask(find(method, path), version, address, options, mailbox);
        expect([method, path, reply.status]).toEqual([method, path, status]);
        return reply;
      };
      const handshake = { 'mex-ClientVersion': 'c', 'mex-OSName': 'o', 'mex-OSVersion': 'v' };
      for (const method of ['GET', 'POST']) {
        await at(200, method, mb, { headers: handshake });
        await at(400, method, mb);
      }
      const headers = {
        'Mex-To': 'X26ABC2',
        'Mex-WorkflowID': 'WF',
        'Mex-LocalID': `ref${version}`,
        'Mex-Subject': 's',
      };
      const send = async (more: Record<string, string> = {}): Promise<string> =>
        sentIdOf(await at(202, 'POST', `${mb}/outbox`, { headers: { ...headers, ...more }, body: 'x' }));
      const [whole, begun, done] = [
        await send(),
        await send({ 'Mex-Chunk-Range': '1:2' }),
        await send({ 'Mex-Chunk-Range': '1:2' }),
      ];
      await at(400, 'POST', `${mb}/outbox`, { body: 'x' });
      await at(413, 'POST', `${mb}/outbox`, { headers, body: 'x'.repeat(2001) });
      await at(417, 'POST', `${mb}/outbox`, { headers: { ...headers, 'Mex-To': 'NOBODY' }, body: 'x' });
      await at(422, 'POST', `${mb}/outbox`, { headers: { ...headers, 'Content-Encoding': 'br' }, body: 'x' });
      const chunk = `${mb}/outbox/{message_id}/{chunk_number}`;
      await at(202, 'POST', chunk, { id: done, chunk: 2, body: 'x' });
      await at(400, 'POST', chunk, { id: begun, chunk: 0, body: 'x' });
      await at(404, 'POST', chunk, { body: 'x' });
      await at(403, 'POST', chunk, { id: begun, mailbox: 'X26ABC2', body: 'x' });
      await at(406, 'POST', chunk, { id: begun, chunk: 3, body: 'x' });
      await at(413, 'POST', chunk, { id: begun, chunk: 2, body: 'x'.repeat(2001) });
      await at(417, 'POST', chunk, { id: begun, chunk: 2, body: '' });
      await at(423, 'POST', chunk, { id: whole, chunk: 1, body: 'other' });
      const reader = { mailbox: 'X26ABC2' };
      await at(200, 'GET', `${mb}/inbox`, { ...reader, query: '?max_results=10&workflow_filter=W*' });
      await at(400, 'GET', `${mb}/inbox`, { ...reader, query: '?max_results=1' });
      await at(200, 'GET', `${mb}/count`, reader);
      for (const box of ['inbox', 'outbox']) {
        await at(200, 'GET', `${mb}/${box}/rich`, reader);
        await at(200, 'GET', `${mb}/${box}/rich`, { query: '?max_results=10' });
        await at(400, 'GET', `${mb}/${box}/rich`, { query: '?start_time=x' });
      }
      for (const path of [`${mb}/inbox/{message_id}`, `${mb}/inbox/{message_id}/{chunk_number}`]) {
        await at(200, 'GET', path, { ...reader, id: whole });
        await at(206, 'GET', path, { ...reader, id: done });
        await at(403, 'GET', path, { id: whole });
        await at(404, 'GET', path, reader);
        await at(410, 'GET', path, { ...reader, id: begun });
      }
      await at(400, 'GET', `${mb}/inbox/{message_id}/{chunk_number}`, { ...reader, id: whole, chunk: 0 });
      await at(200, 'HEAD', `${mb}/inbox/{message_id}`, { ...reader, id: whole });
      await at(404, 'HEAD', `${mb}/inbox/{message_id}`, reader);
      await at(410, 'HEAD', `${mb}/inbox/{message_id}`, { ...reader, id: begun });
      const tracking = `${mb}/outbox/tracking`;
      for (const id of [whole, begun, done]) await at(200, 'GET', tracking, { query: `?messageID=${id}` });
      await at(400, 'GET', tracking);
      await at(404, 'GET', tracking, { query: '?messageID=X' });
      await byLocalId(at, `${tracking}/{local_id}`);
      const acknowledged = `${mb}/inbox/{message_id}/status/acknowledged`;
      await at(200, 'PUT', acknowledged, { ...reader, id: whole });
      await at(403, 'PUT', acknowledged, { id: whole });
      await at(404, 'PUT', acknowledged, reader);
      await at(200, 'GET', tracking, { query: `?messageID=${whole}` });
      await at(200, 'POST', `${mb}/update`);
      await at(200, 'POST', `${mb}/preflight`, { headers });
      await at(200, 'POST', `${mb}/preflight`, { headers: { ...headers, 'Mex-To': 'NOBODY' } });
      await at(400, 'POST', `${mb}/preflight`);
      for (const path of ['/workflows', '/workflows.json']) {
        await at(200, 'GET', path, { query: '?q=WF' });
        await at(400, 'GET', path, { query: '?limit=0' });
      }
      await lookUp(at);
      await report(at);
    });
  });

  type At = (status: number, method: string, path: string, given?: object) => Promise<MeshReply>;

  /** The local id of the sample address: of nobody, then of one message, then of two. */
  async function byLocalId(at: At, path: string): Promise<void> {
    const sender = exchange.client('X26ABC1');
    const found = await sender.requestAt('GET', filled(path));
    if (found.status === 404) {
      await at(404, 'GET', path);
      await sender.send({ to: 'X26ABC2', workflowId: 'WF', localId: 'ref' }, 'x');
      await at(200, 'GET', path);
      await sender.send({ to: 'X26ABC2', workflowId: 'WF', localId: 'ref' }, 'x');
    }
    await at(300, 'GET', path);
  }

  async function lookUp(at: At): Promise<void> {
    const endpoints = '/messageexchange/endpointlookup/{ods_code}/{workflow_id}';
    const search = '/messageexchange/workflowsearch/{workflow_id}';
    await exchange.change({ registrations: [{ mailbox: 'X26ABC1', workflowId: 'WF', role: 'responder' }] });
    await at(200, 'GET', endpoints);
    await at(200, 'GET', search);
    for (const { path, method } of description.operations.filter(({ name }) => name === 'health'))
      await at(200, method, path);
  }

  /** A report, and the tracking of what it is about. */
  async function report(at: At): Promise<void> {
    exchange.clock.advance(5 * 86_400_000 + 1000);
    await exchange.runDueWork();
    const id = listedIdsOf(await exchange.client('X26ABC1').list()).at(-1) ?? '';
    const reply = await at(200, 'GET', '/messageexchange/{mailbox_id}/inbox/{message_id}', { id });
    expect(reply.headers['mex-messagetype']).toBe('REPORT');
    const query = `?messageID=${reply.headers['mex-linkedmsgid']}`;
    await at(200, 'GET', '/messageexchange/{mailbox_id}/outbox/tracking', { query });
  }

  it('has shown every operation and every status that is described', () => {
    expect(description.unseen()).toEqual([]);
  });

  it('is described beside its own business too: a method that is not allowed', async () => {
    const { path, responses } = find('GET', '/messageexchange/{mailbox_id}/inbox');
    const wrong = { path, method: 'DELETE', name: '', isOpen: false, statuses: [], responses };
    const reply = await ask(wrong, 2, filled(path));
    expect([reply.status, reply.headers['allow']]).toEqual([405, 'GET']);
  });
});
