import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listedIdsOf, type MeshReply, type MeshRequestOptions, sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { expectError, versions } from '../../kit/wire-answers.ts';

const duplicated = { status: 403, text: 'Error Duplicated Authentication Token' };
const minuteMs = 60_000;
const target = { 'Mex-To': 'X26ABC2', 'Mex-WorkflowID': 'WF' };
const handshakeHeaders = { 'mex-ClientVersion': 'c', 'mex-OSName': 'o', 'mex-OSVersion': 'v' };

describe('a token is good for one request', () => {
  let exchange: ExchangeInProcess;
  beforeAll(async () => {
    exchange = await ExchangeInProcess.start({ tls: 'off', settings: { OPENMESH_CHUNK_BYTES_MAX: '100000' } });
  });
  afterAll(() => exchange.stop());

  const ask = (
    method: string,
    path: string,
    options: MeshRequestOptions = {},
    version: 1 | 2 = 2,
  ): Promise<MeshReply> => exchange.client('X26ABC2', { version }).request(method, path, options);
  const token = (): string => exchange.client('X26ABC2').authorization();
  const send = async (from = 'X26ABC1', to = 'X26ABC2', body = 'x'): Promise<string> =>
    sentIdOf(await exchange.client(from).send({ to, workflowId: 'WF' }, body));

  describe.each(versions)('in version %i', (version) => {
    it('on every operation, whichever used it first', async () => {
      const [inlineId, fileId, own] = [
        await send(),
        await send('X26ABC1', 'X26ABC2', 'x'.repeat(50_000)),
        await send('X26ABC2'),
      ];
      const started = await ask('POST', '/outbox', { headers: { ...target, 'Mex-Chunk-Range': '1:3' }, body: 'x' });
      const requests: readonly [method: string, path: string, options?: MeshRequestOptions][] = [
        ['POST', '', { headers: handshakeHeaders }],
        ['GET', '/inbox'],
        ['GET', '/inbox?max_results=1000'],
        ['GET', '/inbox?workflow_filter=WF'],
        ['GET', '/count'],
        ['GET', `/inbox/${inlineId}`],
        ['GET', `/inbox/${fileId}/1`],
        ['HEAD', `/inbox/${inlineId}`],
        ['GET', `/outbox/tracking?messageID=${own}`],
        ['GET', '/inbox/rich'],
        ['GET', '/outbox/rich'],
        ['POST', '/update'],
        ['POST', '/outbox', { headers: target, body: 'x' }],
        ['POST', `/outbox/${sentIdOf(started)}/2`, { body: 'x' }],
        ['PUT', `/inbox/${inlineId}/status/acknowledged`],
      ];
      for (const [method, path, options] of requests) {
        const authorization = token();
        const first = await ask(method, path, { ...options, authorization }, version);
        expect([method, path, first.status]).toEqual([method, path, expect.toBeOneOf([200, 202])]);
        const second = await ask(method, path, { ...options, authorization }, version);
        if (method === 'HEAD') expect(second.status).toBe(403);
        else expectError(second, version, duplicated);
        expectError(await ask('GET', '/count', { authorization }, version), version, duplicated);
      }
    });
  });

  it('tells the owner when it was first used', async () => {
    const atMs = exchange.clock.nowMs();
    exchange.clock.freeze(atMs);
    const authorization = token();
    await ask('GET', '/count', { authorization });
    exchange.clock.advance(5 * minuteMs);
    await ask('GET', '/count', { authorization });
    const [newest] = await exchange.refusals({ mailbox: 'X26ABC2', reason: 'nonce-used' });
    expect(newest).toMatchObject({
      atMs: atMs + 5 * minuteMs,
      detail: `the nonce was used at ${new Date(atMs).toISOString()}`,
    });
  });

  it('is told apart by mailbox, nonce and count, and not by its timestamp', async () => {
    const client = exchange.client('X26ABC2');
    const status = async (parts: Parameters<typeof client.authorization>[0], of = client): Promise<number> =>
      (await of.count({ authorization: of.authorization(parts) })).status;
    expect(await status({ nonce: 'same', nonceCount: '0' })).toBe(200);
    expect(await status({ nonce: 'same', nonceCount: '1' })).toBe(200);
    expect(await status({ nonce: 'same', nonceCount: '01' })).toBe(200);
    expect(await status({ nonce: 'SAME', nonceCount: '0' })).toBe(200);
    expect(await status({ nonce: 'same', nonceCount: '0' }, exchange.client('X26ABC1'))).toBe(200);
    exchange.clock.advance(minuteMs);
    expect(await status({ nonce: 'same', nonceCount: '0' })).toBe(403);
  });

  it('stays used over a restart', async () => {
    const authorization = token();
    expect((await ask('GET', '/count', { authorization })).status).toBe(200);
    await exchange.restart();
    expectError(await ask('GET', '/count', { authorization }), 2, duplicated);
  });

  it('stays used as long as its timestamp lets it in, however far ahead it was stamped', async () => {
    const authorization = exchange
      .client('X26ABC2', { nowMs: () => exchange.clock.nowMs() + 119 * minuteMs })
      .authorization();
    expect((await ask('GET', '/count', { authorization })).status).toBe(200);
    exchange.clock.advance(238 * minuteMs);
    const nowMs = exchange.clock.nowMs();
    while ((await exchange.rooms.ledger.jobs.sweepNonces({ nowMs, limit: 100 })) > 0) continue;
    expectError(await ask('GET', '/count', { authorization }), 2, duplicated);
  });

  it.each([
    ['POST', '/outbox', 202],
    ['GET', '/count', 200],
  ] as const)('wins exactly once when %s %s is asked many times at once', async (method, path, success) => {
    const authorization = exchange.client('X26ABC2').authorization();
    const before = listedIdsOf(await exchange.client('X26ABC1').list()).length;
    const options = { authorization, headers: { ...target, 'Mex-To': 'X26ABC1' }, body: 'x' };
    const clients = Array.from({ length: 12 }, () => exchange.client('X26ABC2'));
    const replies = await Promise.all(clients.map((client) => client.request(method, path, options)));
    const statuses = replies.map(({ status }) => status);
    expect(statuses.filter((status) => status === success)).toHaveLength(1);
    expect(statuses.filter((status) => status === 403)).toHaveLength(11);
    const after = listedIdsOf(await exchange.client('X26ABC1').list()).length;
    expect(after - before).toBe(method === 'POST' ? 1 : 0);
  });

  it('is not used up by a request that was refused: the same token serves the next', async () => {
    const acknowledged = await send();
    await exchange.client('X26ABC2').acknowledge(acknowledged);
    const foreign = await send('X26ABC1', 'Y99ABC3');
    const started = sentIdOf(
      await ask('POST', '/outbox', { headers: { ...target, 'Mex-Chunk-Range': '1:3' }, body: 'x' }),
    );
    const refused: readonly [status: number, method: string, path: string, options?: MeshRequestOptions][] = [
      [400, 'POST', ''],
      [400, 'GET', '/inbox?max_results=1'],
      [400, 'GET', '/inbox?continue_from=20200101000000000000_ABCDEF'],
      [404, 'GET', '/inbox/20200101000000000000_ABCDEF'],
      [404, 'GET', `/inbox/${await send()}/2`],
      [403, 'GET', `/inbox/${foreign}`],
      [410, 'GET', `/inbox/${acknowledged}`],
      [410, 'HEAD', `/inbox/${acknowledged}`],
      [404, 'PUT', '/inbox/20200101000000000000_ABCDEF/status/acknowledged'],
      [403, 'PUT', `/inbox/${foreign}/status/acknowledged`],
      [400, 'GET', '/outbox/tracking'],
      [404, 'GET', '/outbox/tracking?messageID=20200101000000000000_ABCDEF'],
      [400, 'POST', '/outbox', { body: 'x' }],
      [417, 'POST', '/outbox', { headers: { ...target, 'Mex-Chunk-Range': 'x' }, body: 'x' }],
      [413, 'POST', '/outbox', { headers: target, body: 'x'.repeat(100_001) }],
      [404, 'POST', '/outbox/20200101000000000000_ABCDEF/2', { body: 'x' }],
      [406, 'POST', `/outbox/${started}/4`, { body: 'x' }],
      [417, 'POST', `/outbox/${started}/2`, { body: '' }],
      [417, 'POST', `/outbox/${started}/2`, { headers: { 'Content-Encoding': 'gzip' }, body: 'x' }],
      [405, 'DELETE', '/inbox'],
      [404, 'GET', '/nothing'],
      [400, 'GET', '/count', { headers: { Accept: 'application/vnd.mesh.vX+json' } }],
    ];
    for (const [status, method, path, options] of refused) {
      const authorization = token();
      expect([path, (await ask(method, path, { ...options, authorization })).status]).toEqual([path, status]);
      expect([path, (await ask('GET', '/count', { authorization })).status]).toEqual([path, 200]);
    }
  });

  it('is used up by a failed send that left a record and a report, so that a repeat leaves no second', async () => {
    const options = { authorization: token(), headers: { ...target, 'Mex-To': 'NOBODY9' }, body: 'x' };
    expect((await ask('POST', '/outbox', options)).status).toBe(417);
    expectError(await ask('POST', '/outbox', options), 2, duplicated);
  });
});

describe('the looser modes', () => {
  it('the sandbox takes one token all day, of any age', async () => {
    await using exchange = await ExchangeInProcess.start({ rules: 'sandbox' });
    const client = exchange.client('X26ABC1');
    const authorization = client.authorization({ timestamp: '201501010000' });
    for (let time = 0; time < 3; time += 1) expect((await client.list({}, { authorization })).status).toBe(200);
  });

  it('the mode none asks for no token, but the mailbox must exist and be active', async () => {
    const settings = { OPENMESH_AUTH_MODE: 'none' };
    await using exchange = await ExchangeInProcess.start({ rules: 'sandbox', settings });
    const list = (mailbox: string, authorization: string | null): Promise<MeshReply> =>
      exchange.client(mailbox).list({}, { authorization });
    expect((await list('X26ABC1', null)).status).toBe(200);
    expect((await list('X26ABC1', 'garbage')).status).toBe(200);
    const words = { status: 403, event: 'SEND', code: 'EPL-151', text: 'No mailbox matched' };
    expectError(await list('NOBODY9', null), 2, words);
    expectError(await list('X26OFF4', null), 2, { status: 403, text: 'Request Received from Inactive Mailbox' });
  });

  it('the mode canned takes the nonce VALID in any case, whatever else the token says or leaves out', async () => {
    const settings = { OPENMESH_AUTH_MODE: 'canned' };
    await using exchange = await ExchangeInProcess.start({ rules: 'sandbox', settings });
    const list = (authorization: string | null, mailbox = 'X26ABC1'): Promise<MeshReply> =>
      exchange.client(mailbox).list({}, { authorization });
    for (const nonce of ['VALID', 'valid', 'Valid'])
      for (const scheme of ['NHSMESH ', 'nhsmesh ', ''])
        for (const rest of [':0:1:nohash', '', ':', ':x', ':0:1', ':no:digits:here:', ':0:1:nohash:more'])
          expect((await list(`${scheme}X26ABC1:${nonce}${rest}`)).status, `${scheme}${nonce}${rest}`).toBe(200);
    const invalid = { status: 403, text: 'Invalid Authentication Token' };
    expectError(await list(exchange.client('X26ABC1').authorization()), 2, invalid);
    for (const other of [
      'NHSMESH X26ABC1',
      'X26ABC1:',
      'NHSMESH X26ABC1:other',
      'X26ABC1:INVALID',
      'X26ABC1:VALIDS:0:1:2',
    ])
      expectError(await list(other), 2, invalid);
    expectError(await list('NHSMESH NOBODY9:other', 'NOBODY9'), 2, invalid);
    const nobody = { status: 403, event: 'SEND', code: 'EPL-151', text: 'No mailbox matched' };
    expectError(await list('NHSMESH NOBODY9:VALID', 'NOBODY9'), 2, nobody);
    const mismatch = { status: 403, text: 'Mailbox id does not match token' };
    expectError(await list('NHSMESH X26ABC2:VALID:0:1:nohash'), 2, mismatch);
    for (const missing of [null, ' ']) {
      expectError(await list(missing), 2, { status: 403, text: 'Error reading from Authorization header' });
    }
  });
});
