import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonOf, listedIdsOf, type MeshReply, sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { usualMailboxes } from '../../kit/seeded-registry.ts';
import { bothRules, expectError, expectInvalid, versions } from '../../kit/wire-answers.ts';

const to = { to: 'X26ABC2', workflowId: 'WF' };
const idShape = /^\d{20}_[0-9A-F]{6}$/;

const seeds = {
  mailboxes: usualMailboxes,
  workflows: [
    { workflowId: 'RESTRICTED', restricted: true },
    { workflowId: 'WITHDRAWN', status: 'withdrawn' as const },
  ],
  registrations: [
    { workflowId: 'RESTRICTED', role: 'initiator' as const, mailbox: 'X26ABC1' },
    { workflowId: 'RESTRICTED', role: 'responder' as const, mailbox: 'Y99ABC3' },
  ],
};

describe.each(bothRules)('sending under the %s rules', (rules) => {
  let exchange: ExchangeInProcess;
  beforeAll(async () => {
    exchange = await ExchangeInProcess.start({ rules, seeds, settings: { OPENMESH_CHUNK_BYTES_MAX: '100000' } });
  });
  afterAll(() => exchange.stop());

  describe.each(versions)('in version %i', (version) => {
    const send = (headers: Record<string, string | null>, body = 'payload', more = to): Promise<MeshReply> =>
      exchange.client('X26ABC1', { version }).send(more, body, { headers });

    it('answers 202 with a time-based id in the spelling of the version', async () => {
      const reply = await send({});
      expect(reply.status).toBe(202);
      const id = sentIdOf(reply);
      expect(id).toMatch(idShape);
      expect(jsonOf(reply)).toEqual(version === 1 ? { messageID: id } : { message_id: id });
      expect(reply.headers['content-type']).toBe(version === 1 ? 'application/json' : 'application/vnd.mesh.v2+json');
    });

    it.each([
      ['a control character', { 'Mex-Subject': 'tab\there' }],
      ['a URL as recipient', { 'Mex-To': 'HTTP://X26ABC2' }],
      ['a URL as workflow', { 'Mex-WorkflowID': 'https://wf' }],
      ['a URL as checksum', { 'Mex-Content-Checksum': 'http://sum' }],
    ])('refuses %s with TRANSFER 06', async (_what, headers) => {
      expectError(await send(headers), version, {
        status: 400,
        event: 'TRANSFER',
        code: '06',
        text: 'MalformedControlFile',
      });
    });

    it('refuses a checksum with characters outside its alphabet', async () => {
      expectError(await send({ 'Mex-Content-Checksum': 'sum=1' }), version, {
        status: 400,
        event: 'SEND',
        code: 'Invalid checksum',
        text: 'Invalid checksum',
      });
    });

    it('names every missing and over-long header in one answer', async () => {
      const headers = { 'Mex-To': null, 'Mex-WorkflowID': null, 'Mex-Subject': 's'.repeat(501) };
      expectInvalid(await send(headers), [
        { type: 'missing', loc: ['header', 'mex-to'], msg: 'Field required' },
        { type: 'missing', loc: ['header', 'mex-workflowid'], msg: 'Field required' },
        { type: 'string_too_long', loc: ['header', 'mex-subject'] },
      ]);
    });

    it.each([
      ['mex-to', 100],
      ['mex-workflowid', 300],
      ['mex-chunk-range', 20],
      ['mex-subject', 500],
      ['mex-localid', 300],
      ['mex-filename', 300],
      ['mex-partnerid', 500],
      ['mex-content-compressed', 20],
      ['mex-content-encrypted', 20],
      ['mex-content-checksum', 100],
      ['mex-content-type', 100],
      ['content-type', 1000],
    ])('holds %s to %i characters, and not to one less', async (name, lengthMax) => {
      expectInvalid(await send({ [name]: 'a'.repeat(lengthMax + 1) }, 'x', { to: 'X26ABC2', workflowId: 'WF' }), [
        {
          type: 'string_too_long',
          loc: ['header', name],
          msg: `String should have at most ${lengthMax} characters`,
        },
      ]);
      const fitting = await send({ [name]: 'a'.repeat(lengthMax) });
      expect(fitting.status).not.toBe(400);
    });

    it('takes no longer headers than every client can read in the answer of a download', async () => {
      const longest = { 'Mex-Subject': 500, 'Mex-LocalID': 300, 'Mex-FileName': 300, 'Mex-PartnerID': 500 };
      const others = { 'Mex-WorkflowID': 300, 'Mex-Content-Checksum': 100, 'Content-Type': 1000 };
      const lengths = Object.entries({ ...longest, ...others });
      const sent = await send(Object.fromEntries(lengths.map(([name, length]) => [name, 'a'.repeat(length)])));
      const { status, rawHeaders } = await exchange.client('X26ABC2', { version }).download(sentIdOf(sent));
      expect(status).toBe(200);
      // Node and axios give up at 16 KiB, other clients later.
      expect(rawHeaders.join(': \r\n').length).toBeLessThan(8 * 1024);
    });

    it('ignores a Content-Type of any length where Mex-Content-Type says what the message is', async () => {
      const sent = await send({ 'Content-Type': 'a'.repeat(9000), 'Mex-Content-Type': 'text/plain' });
      const { headers } = await exchange.client('X26ABC2', { version }).download(sentIdOf(sent));
      expect(headers['mex-content-type']).toBe('text/plain');
    });

    it('refuses a recipient that is present and blank with SEND 08', async () => {
      expectError(await send({ 'Mex-To': ' ' }), version, {
        status: 400,
        event: 'SEND',
        code: '08',
        text: 'TO_DTS missing',
      });
    });

    it('refuses an encoding other than gzip with 422', async () => {
      expectError(await send({ 'Content-Encoding': 'br' }), version, {
        status: 422,
        event: 'SEND',
        code: 'UnsupportedContentEncoding',
        text: 'Unsupported content encoding',
      });
    });

    it.each(['2:2', '1:0', '0:1', 'x', '1', '1:', ':1', '1:2:3', '-1:1', '1.0:2', '1:10001'])(
      'refuses the chunk range %s',
      async (range) => {
        expectError(await send({ 'Mex-Chunk-Range': range }), version, {
          status: 417,
          event: 'SEND',
          code: 'InvalidHeaderChunks',
          text: 'Invalid chunk values sent in mex-Chunk-Range header',
        });
      },
    );

    it('refuses a body over the limit of one request with 413, declared or not', async () => {
      const expected = { status: 413, event: 'SEND', code: 'MessageTooLarge', text: 'Message is too large' };
      expectError(await send({}, 'x'.repeat(100_001)), version, expected);
      const client = exchange.client('X26ABC1', { version });
      expectError(await client.send(to, piecesOf(10, 20_000)), version, expected);
      expect((await send({}, 'x'.repeat(100_000))).status).toBe(202);
    });

    it.each([
      ['unknown', { to: 'NOBODY9', workflowId: 'WF' }, '12', 'Unregistered to address'],
      ['disabled', { to: 'X26OFF4', workflowId: 'WF' }, '12', 'Unregistered to address'],
      ['no mailbox id at all', { to: '../../etc', workflowId: 'WF' }, '12', 'Unregistered to address'],
      ['a malformed patient address', { to: 'GPPROVIDER_1', workflowId: 'WF' }, '12', 'Unregistered to address'],
      [
        'of a withdrawn workflow',
        { to: 'X26ABC2', workflowId: 'WITHDRAWN' },
        '16',
        'Sender is not allowed to send messages of this type',
      ],
      [
        'not registered for a restricted workflow',
        { to: 'X26ABC2', workflowId: 'RESTRICTED' },
        '17',
        'Workflow ID not registered for mailbox',
      ],
    ])('refuses a recipient that is %s; live: with id, record and report', async (_what, target, code, text) => {
      const reply = await send({ 'Mex-Subject': 'about it', 'Mex-LocalID': 'ref-7' }, 'payload', target);
      const id = expectError(reply, version, { status: 417, event: 'SEND', code, text });
      await expectFailureRecord(id, { code, event: 'SEND', text, workflowId: target.workflowId });
    });

    it('refuses a sender not registered for a restricted workflow with SEND 16', async () => {
      const client = exchange.client('X26ABC2', { version });
      const reply = await client.send({ to: 'Y99ABC3', workflowId: 'RESTRICTED' }, 'payload');
      const text = 'Sender is not allowed to send messages of this type';
      expectError(reply, version, { status: 417, event: 'SEND', code: '16', text });
      const allowed = await send({}, 'payload', { to: 'Y99ABC3', workflowId: 'RESTRICTED' });
      expect(allowed.status).toBe(202);
    });

    it('refuses an empty body with COLLECT 02; live: with id, record and report', async () => {
      const reply = await send({ 'Mex-Subject': 'about it', 'Mex-LocalID': 'ref-7' }, '');
      const text = 'Data file is missing or inaccessible.';
      const id = expectError(reply, version, { status: 417, event: 'COLLECT', code: '02', text });
      await expectFailureRecord(id, { code: '02', event: 'COLLECT', text, workflowId: 'WF' });
    });
  });

  /** Under the live rules a failed message stays trackable and its sender is told; in the sandbox nothing remains. */
  async function expectFailureRecord(
    id: string | undefined,
    words: { code: string; event: string; text: string; workflowId: string },
  ): Promise<void> {
    const sender = exchange.client('X26ABC1');
    const waiting = listedIdsOf(await sender.list());
    if (rules === 'sandbox') {
      expect({ id, waiting }).toEqual({ id: undefined, waiting: [] });
      return;
    }
    expect(id).toMatch(idShape);
    const tracked = await sender.track(id ?? '');
    expect(jsonOf(tracked)).toMatchObject({ status: 'error', status_success: false, status_code: words.code });
    const { status, headers } = await sender.head(id ?? '');
    expect([status, headers['mex-total-chunks'], headers['mex-chunk-range']]).toEqual([200, '0', undefined]);
    const report = await sender.download(waiting.at(-1) ?? '');
    expect(report.headers).toMatchObject({
      'mex-messagetype': 'REPORT',
      'mex-to': 'X26ABC1',
      'mex-linkedmsgid': id,
      'mex-localid': 'ref-7',
      'mex-subject': 'about it',
      'mex-workflowid': words.workflowId,
      'mex-statuscode': words.code,
      'mex-statusevent': words.event,
      'mex-statusdescription': words.text,
      'mex-statussuccess': 'ERROR',
    });
    for (const each of waiting) await sender.acknowledge(each);
  }
});

async function* piecesOf(count: number, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at += 1) yield await Promise.resolve(new Uint8Array(size));
}
