import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonOf, listedIdsOf, type MeshClient, type MeshReply, sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { bothRules, expectError, expectInvalid, versions } from '../../kit/wire-answers.ts';

const rangeWords = { event: 'SEND', code: 'InvalidHeaderChunks' };
const rangeText = 'Invalid chunk values sent in mex-Chunk-Range header';
const finalised = {
  status: 423,
  event: 'SEND',
  code: '',
  text: 'Message has been finalised; no more chunks can be uploaded',
};

async function start(client: MeshClient, chunks: number, headers: Record<string, string> = {}): Promise<string> {
  const target = { to: 'X26ABC2', workflowId: 'WF', chunkRange: `1:${chunks}` };
  return sentIdOf(await client.send(target, 'one;', { headers }));
}

describe.each(bothRules)('sending chunks under the %s rules', (rules) => {
  let exchange: ExchangeInProcess;
  beforeAll(async () => {
    const settings = { OPENMESH_MESSAGE_BYTES_MAX: '10000', OPENMESH_CHUNK_BYTES_MAX: '4000' };
    const inline = { OPENMESH_INLINE_BODY_BYTES_MAX: '1000' };
    exchange = await ExchangeInProcess.start({ rules, tls: 'off', settings: { ...settings, ...inline } });
  });
  afterAll(() => exchange.stop());

  /** What the recipient gets when it reads every chunk. */
  async function readAll(id: string, chunks: number): Promise<string> {
    const reader = exchange.client('X26ABC2');
    const pieces: MeshReply[] = [];
    for (let chunk = 1; chunk <= chunks; chunk += 1) pieces.push(await reader.downloadChunk(id, chunk));
    return pieces.map(({ body }) => body.toString()).join('');
  }

  describe.each(versions)('in version %i', (version) => {
    it('answers 202 with an object that names the message, and in version 1 the chunk', async () => {
      const sender = exchange.client('X26ABC1', { version });
      const id = await start(sender, 2);
      const reply = await sender.sendChunk(id, 2, 2, 'two');
      expect(reply.status).toBe(202);
      expect(jsonOf(reply)).toEqual(version === 1 ? { messageID: id, blockID: 2 } : { message_id: id });
    });

    it('takes chunks in any order and accepts the message when the last one missing is there', async () => {
      const sender = exchange.client('X26ABC1', { version });
      const reader = exchange.client('X26ABC2');
      const id = await start(sender, 4);
      for (const chunk of [4, 2]) {
        await sender.sendChunk(id, chunk, 4, `${chunk};`);
        expect(listedIdsOf(await reader.list())).not.toContain(id);
        expect((await reader.download(id)).status).toBe(410);
        expect((await reader.head(id)).status).toBe(410);
        expect(jsonOf(await sender.track(id))).toMatchObject(
          version === 1 ? { status: 'Uploading', fileSize: 0 } : { status: 'uploading', status_success: true },
        );
      }
      await sender.sendChunk(id, 3, 4, '3;');
      expect(listedIdsOf(await reader.list())).toContain(id);
      expect(await readAll(id, 4)).toBe('one;2;3;4;');
    });

    it('puts the newer bytes in the place of a chunk sent again while the upload is open, inline or file', async () => {
      const sender = exchange.client('X26ABC1', { version });
      const id = await start(sender, 3);
      await sender.sendChunk(id, 2, 3, 'first try');
      expect((await sender.sendChunk(id, 2, 3, 'x'.repeat(2000))).status).toBe(202);
      expect((await sender.sendChunk(id, 1, 3, 'uno;')).status).toBe(202);
      expect((await sender.sendChunk(id, 2, 3, 'dos;')).status).toBe(202);
      await sender.sendChunk(id, 3, 3, 'tres');
      expect(await readAll(id, 3)).toBe('uno;dos;tres');
    });

    it('takes a chunk without a range header', async () => {
      const sender = exchange.client('X26ABC1', { version });
      const id = await start(sender, 2);
      const reply = await sender.sendChunk(id, 2, 2, 'two', { headers: { 'Mex-Chunk-Range': null } });
      expect(reply.status).toBe(202);
    });

    it.each(['x', '2', '3:3', '1:2', '2:1', '2:0', '0:2', '2:10001'])(
      'refuses the range %s on chunk 2',
      async (range) => {
        const sender = exchange.client('X26ABC1', { version });
        const id = await start(sender, 3);
        const reply = await sender.sendChunk(id, 2, 3, 'two', { headers: { 'Mex-Chunk-Range': range } });
        expectError(reply, version, { status: 417, ...rangeWords, text: rangeText });
      },
    );

    it('refuses a total other than the message’s under the live rules; the sandbox takes it', async () => {
      const sender = exchange.client('X26ABC1', { version });
      const id = await start(sender, 3);
      const reply = await sender.sendChunk(id, 2, 4, 'two');
      if (rules === 'sandbox') expect(reply.status).toBe(202);
      else expect(expectError(reply, version, { status: 417, ...rangeWords, text: rangeText })).toBe(id);
    });

    it('refuses a chunk above the total with 406, whatever its range says', async () => {
      const sender = exchange.client('X26ABC1', { version });
      const id = await start(sender, 2);
      const expected = { status: 406, ...rangeWords, text: rangeText };
      expect(expectError(await sender.sendChunk(id, 3, 3, 'three'), version, expected)).toBe(id);
    });

    it('answers 404 for a message nobody began and 403 for one that another mailbox began', async () => {
      const sender = exchange.client('X26ABC1', { version });
      const stranger = exchange.client('Y99ABC3', { version });
      const id = await start(sender, 2);
      const unknown = await sender.sendChunk('20200101000000000000_ABCDEF', 2, 2, 'two');
      expectError(unknown, version, { status: 404, text: 'Not Found' });
      expectError(await sender.sendChunk('no id', 2, 2, 'two'), version, { status: 404, text: 'Not Found' });
      expectError(await stranger.sendChunk(id, 2, 2, 'two'), version, { status: 403, text: 'Forbidden' });
      const recipient = exchange.client('X26ABC2', { version });
      expectError(await recipient.sendChunk(id, 2, 2, 'two'), version, { status: 403, text: 'Forbidden' });
    });

    it.each(['0', '-1', 'x', '1.5', '10001'])('answers 400 for the chunk number %s', async (number) => {
      const sender = exchange.client('X26ABC1', { version });
      const reply = await sender.request('POST', `/outbox/${await start(sender, 2)}/${number}`, { body: 'x' });
      expectInvalid(reply, [{ type: expect.any(String), loc: ['path', 'chunk_number'] }]);
    });

    it('answers 423 for a chunk of a message that is complete', async () => {
      const sender = exchange.client('X26ABC1', { version });
      const whole = sentIdOf(await sender.send({ to: 'X26ABC2', workflowId: 'WF' }, 'whole'));
      expect(expectError(await sender.sendChunk(whole, 1, 1, 'other'), version, finalised)).toBe(whole);
    });

    it('answers a byte-identical repeat of a stored chunk as the first time for 10 min, live only', async () => {
      const sender = exchange.client('X26ABC1', { version });
      const id = await start(sender, 2);
      await sender.sendChunk(id, 2, 2, 'two');
      const repeat = (bytes: string): Promise<MeshReply> => sender.sendChunk(id, 2, 2, bytes);
      if (rules === 'sandbox') {
        expectError(await repeat('two'), version, finalised);
        return;
      }
      expect(jsonOf(await repeat('two'))).toEqual(version === 1 ? { messageID: id, blockID: 2 } : { message_id: id });
      expectError(await repeat('tow'), version, finalised);
      expectError(await repeat('two!'), version, finalised);
      exchange.clock.advance(10 * 60_000 + 1000);
      expectError(await repeat('two'), version, finalised);
    });

    it.each([
      ['in the ledger', 10],
      ['as a file', 2000],
    ])(
      'takes the last chunk twice at once for one chunk and its repeat, live only (kept %s)',
      async (_place, length) => {
        const sender = exchange.client('X26ABC1', { version });
        const id = await start(sender, 2);
        const bytes = 'x'.repeat(length);
        const replies = await Promise.all([sender.sendChunk(id, 2, 2, bytes), sender.sendChunk(id, 2, 2, bytes)]);
        const statuses = replies.map(({ status }) => status).sort((a, b) => a - b);
        expect(statuses).toEqual([202, rules === 'live' ? 202 : 423]);
        expect(await readAll(id, 2)).toBe(`one;${bytes}`);
      },
    );

    it('takes one of two that both claim to be the last chunk, and refuses the other', async () => {
      const sender = exchange.client('X26ABC1', { version });
      const id = await start(sender, 2);
      const replies = await Promise.all([sender.sendChunk(id, 2, 2, 'two'), sender.sendChunk(id, 2, 2, 'tow')]);
      expect(replies.map(({ status }) => status).sort((a, b) => a - b)).toEqual([202, 423]);
      expect(await readAll(id, 2)).toBe(replies[0]?.status === 202 ? 'one;two' : 'one;tow');
    });

    it('refuses another encoding than chunk 1’s', async () => {
      const sender = exchange.client('X26ABC1', { version });
      const plain = await start(sender, 2);
      const gzipped = await start(sender, 2, { 'Content-Encoding': 'GZIP' });
      const words = { status: 417, text: 'cannot change content encoding' };
      const headers = { 'Content-Encoding': 'gzip' };
      expectError(await sender.sendChunk(plain, 2, 2, 'two', { headers }), version, words);
      expectError(await sender.sendChunk(gzipped, 2, 2, 'two'), version, words);
      expect((await sender.sendChunk(gzipped, 2, 2, 'two', { headers })).status).toBe(202);
    });

    it('refuses an empty chunk, an over-large one, and one that makes the message too large', async () => {
      const sender = exchange.client('X26ABC1', { version });
      const id = await start(sender, 4);
      const missing = { status: 417, event: 'COLLECT', code: '02', text: 'Data file is missing or inaccessible.' };
      expectError(await sender.sendChunk(id, 2, 4, ''), version, missing);
      const tooLarge = { status: 413, event: 'SEND', code: 'MessageTooLarge', text: 'Message is too large' };
      expectError(await sender.sendChunk(id, 2, 4, 'x'.repeat(4001)), version, tooLarge);
      await sender.sendChunk(id, 2, 4, 'x'.repeat(4000));
      await sender.sendChunk(id, 3, 4, 'x'.repeat(4000));
      expectError(await sender.sendChunk(id, 4, 4, 'x'.repeat(2000)), version, tooLarge);
      expect((await sender.sendChunk(id, 4, 4, 'x'.repeat(1996))).status).toBe(202);
      expect(jsonOf(await exchange.client('X26ABC1', { version: 1 }).track(id))).toMatchObject({ fileSize: 10_000 });
    });

    it('evaluates range, message, owner, status, total and encoding in this order', async () => {
      const sender = exchange.client('X26ABC1', { version });
      const stranger = exchange.client('Y99ABC3', { version });
      const headers = { 'Content-Encoding': 'gzip' };
      const badRange = { headers: { ...headers, 'Mex-Chunk-Range': 'x' } };
      const open = await start(sender, 2);
      const done = await start(sender, 2);
      await sender.sendChunk(done, 2, 2, 'two');
      const statuses = [
        await stranger.sendChunk('20200101000000000000_ABCDEF', 3, 3, 'x', badRange),
        await stranger.sendChunk('20200101000000000000_ABCDEF', 3, 3, 'x', { headers }),
        await stranger.sendChunk(done, 3, 3, 'x', { headers }),
        await sender.sendChunk(done, 3, 3, 'x', { headers }),
        await sender.sendChunk(open, 3, 3, 'x', { headers }),
        await sender.sendChunk(open, 2, 2, 'x', { headers }),
      ].map(({ status }) => status);
      expect(statuses).toEqual([417, 404, 403, 423, 406, 417]);
    });
  });

  it('tells the sender by a report when the recipient was closed before the last chunk', async () => {
    const sender = exchange.client('X26ABC1');
    await exchange.change({ mailboxes: [{ id: 'X26NEW5' }] });
    const target = { to: 'X26NEW5', workflowId: 'WF', chunkRange: '1:2' };
    const id = sentIdOf(await sender.send(target, 'one;'));
    await exchange.change({ mailboxes: [{ id: 'X26NEW5', state: 'closed' }] });
    expect((await sender.sendChunk(id, 2, 2, 'two')).status).toBe(202);
    expect(jsonOf(await sender.track(id))).toMatchObject({ status: 'error', status_code: '12' });
    const report = await sender.download(listedIdsOf(await sender.list()).at(-1) ?? '');
    expect(report.headers).toMatchObject({ 'mex-messagetype': 'REPORT', 'mex-linkedmsgid': id });
  });
});
