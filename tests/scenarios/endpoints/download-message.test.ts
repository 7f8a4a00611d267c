import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listedIdsOf, type MeshReply, sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { bothRules, expectError, expectInvalid, versions } from '../../kit/wire-answers.ts';

const notThere = { status: 404, event: 'RECEIVE', code: '20', text: 'Message does not exist' };
const gone = {
  status: 410,
  event: 'SEND',
  code: 'Message already accepted',
  text: 'Message no longer available for download',
};
const connectionHeaders = new Set(['connection', 'keep-alive', 'date']);
const httpDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const hourMs = 3_600_000;

/** The names that came over the wire, without those of the connection; their spelling is kept. */
function namesOf(reply: MeshReply): string[] {
  return reply.rawHeaders.filter((_text, at) => at % 2 === 0 && !connectionHeaders.has(reply.rawHeaders[at] ?? ''));
}

describe.each(bothRules)('downloading under the %s rules', (rules) => {
  let exchange: ExchangeInProcess;
  beforeAll(async () => {
    exchange = await ExchangeInProcess.start({ rules, tls: 'off' });
  });
  afterAll(() => exchange.stop());

  const send = async (headers: Record<string, string> = {}, body = 'payload'): Promise<string> =>
    sentIdOf(await exchange.client('X26ABC1').send({ to: 'X26ABC2', workflowId: 'WF 1' }, body, { headers }));

  async function sendChunks(chunks: number): Promise<string> {
    const sender = exchange.client('X26ABC1');
    const id = sentIdOf(await sender.send({ to: 'X26ABC2', workflowId: 'WF', chunkRange: `1:${chunks}` }, 'part 1'));
    for (let chunk = 2; chunk <= chunks; chunk += 1) await sender.sendChunk(id, chunk, chunks, `part ${chunk}`);
    return id;
  }

  describe.each(versions)('in version %i', (version) => {
    it('answers a message without optional headers with exactly the headers that apply, in lower case', async () => {
      const id = await send();
      const reply = await exchange.client('X26ABC2', { version }).download(id);
      expect(reply.status).toBe(200);
      expect(reply.body.toString()).toBe('payload');
      const { date: _date, connection: _c, 'keep-alive': _k, ...headers } = reply.headers;
      expect(headers).toEqual({
        'mex-from': 'X26ABC1',
        'mex-to': 'X26ABC2',
        'mex-workflowid': 'WF 1',
        'mex-chunk-range': '1:1',
        'mex-total-chunks': '1',
        'mex-messageid': id,
        'mex-messagetype': 'DATA',
        'mex-filename': `${id}.dat`,
        'mex-addresstype': 'ALL',
        'mex-version': '1.0',
        'mex-statuscode': '00',
        'mex-statusevent': 'TRANSFER',
        'mex-statusdescription': 'Transferred to recipient mailbox',
        'mex-statussuccess': 'SUCCESS',
        'mex-statustimestamp': expect.stringMatching(/^\d{14}$/),
        'last-modified': expect.stringMatching(httpDate),
        'content-type': 'application/octet-stream',
        'content-length': '7',
      });
      for (const name of namesOf(reply)) expect(name).toBe(name.toLowerCase());
    });

    it('passes on what the sender said, and true flags as Y', async () => {
      const sent = {
        'mex-subject': 'a subject',
        'mex-localid': 'ref-1',
        'mex-filename': 'ooo/&*:/.txt',
        'mex-partnerid': 'partner',
        'mex-content-checksum': 'sha256:abc',
        'mex-content-type': 'text/csv',
      };
      const flags = { 'Mex-Content-Compressed': 'TRUE', 'Mex-Content-Encrypted': ' on ' };
      const id = await send({ ...sent, ...flags });
      const { headers } = await exchange.client('X26ABC2', { version }).download(id);
      expect(headers).toMatchObject({ ...sent, 'mex-content-compressed': 'Y', 'mex-content-encrypted': 'Y' });
      expect(headers['content-type']).toBe(version === 1 ? 'application/octet-stream' : 'text/csv');
    });

    it.each(['N', 'n/a', '.#!,', '', 'false', '0'])('has no flag for %o', async (flag) => {
      const id = await send({ 'Mex-Content-Compressed': flag, 'Mex-Content-Encrypted': flag });
      const { headers } = await exchange.client('X26ABC2', { version }).download(id);
      expect(headers).not.toHaveProperty('mex-content-compressed');
      expect(headers).not.toHaveProperty('mex-content-encrypted');
    });

    it('gives the sender’s Content-Type back unchanged, without a charset of its own', async () => {
      const id = await send({ 'Content-Type': 'text/plain' });
      const { headers } = await exchange.client('X26ABC2', { version }).download(id);
      expect(headers['mex-content-type']).toBe('text/plain');
      expect(headers['content-type']).toBe(version === 1 ? 'application/octet-stream' : 'text/plain');
    });

    it('answers 206 while chunks follow and 200 on the last, each with its range', async () => {
      const id = await sendChunks(3);
      const reader = exchange.client('X26ABC2', { version });
      const replies = [await reader.download(id)];
      for (const chunk of [1, 2, 3]) replies.push(await reader.downloadChunk(id, chunk));
      expect(replies.map(({ status, headers, body }) => [status, headers['mex-chunk-range'], body.toString()])).toEqual(
        [
          [206, '1:3', 'part 1'],
          [206, '1:3', 'part 1'],
          [206, '2:3', 'part 2'],
          [200, '3:3', 'part 3'],
        ],
      );
      expect(replies.map(({ headers }) => headers['mex-total-chunks'])).toEqual(['3', '3', '3', '3']);
      expect(replies[0]?.headers['content-type']).toBe('application/octet-stream');
    });

    it('serves chunk 1 of a message that has no chunks', async () => {
      const reply = await exchange.client('X26ABC2', { version }).downloadChunk(await send(), 1);
      expect([reply.status, reply.body.toString()]).toEqual([200, 'payload']);
    });

    it.each(['0', '-1', 'one', '1.0', '99999'])('answers 400 for chunk %s', async (chunk) => {
      const reply = await exchange.client('X26ABC2', { version }).request('GET', `/inbox/${await send()}/${chunk}`);
      expectInvalid(reply, [{ type: expect.any(String), loc: ['path', 'chunk_number'] }]);
    });

    it('answers 404 for an unknown id, for what is no id, and for a chunk above the total', async () => {
      const reader = exchange.client('X26ABC2', { version });
      expectError(await reader.download('20200101000000000000_ABCDEF'), version, notThere);
      expectError(await reader.download('no-id'), version, notThere);
      expectError(await reader.downloadChunk(await sendChunks(2), 3), version, notThere);
    });

    it('answers 403 to anybody but the recipient, the sender included', async () => {
      const id = await send();
      for (const other of ['X26ABC1', 'Y99ABC3']) {
        const reply = await exchange.client(other, { version }).download(id);
        expectError(reply, version, { status: 403, text: 'Forbidden' });
      }
    });

    it('serves an acknowledged message in the sandbox only; live it is gone', async () => {
      const id = await send();
      const reader = exchange.client('X26ABC2', { version });
      await reader.acknowledge(id);
      const reply = await reader.download(id);
      if (rules === 'sandbox') expect([reply.status, reply.body.toString()]).toEqual([200, 'payload']);
      else expectError(reply, version, gone);
      expect((await reader.head(id)).status).toBe(rules === 'sandbox' ? 200 : 410);
    });

    it('answers 410 for a message that is still uploading', async () => {
      const sender = exchange.client('X26ABC1');
      const id = sentIdOf(await sender.send({ to: 'X26ABC2', workflowId: 'WF', chunkRange: '1:2' }, 'x'));
      expectError(await exchange.client('X26ABC2', { version }).download(id), version, gone);
    });

    it('answers HEAD with the headers of the download, 200 even with chunks, and never a body', async () => {
      const reader = exchange.client('X26ABC2', { version });
      const whole = await send({ 'Mex-Subject': 's' });
      const download = await reader.download(whole);
      const head = await reader.head(whole);
      expect({ status: head.status, body: head.body.length }).toEqual({ status: 200, body: 0 });
      expect(namesOf(head).sort()).toEqual(namesOf(download).sort());
      expect(head.headers['content-length']).toBe('0');
      const chunked = await reader.head(await sendChunks(2));
      expect([chunked.status, chunked.headers['mex-chunk-range']]).toEqual([200, '1:2']);
    });

    it('answers HEAD to the sender in any state and hides the message from anybody else', async () => {
      const sender = exchange.client('X26ABC1', { version });
      const id = sentIdOf(await sender.send({ to: 'X26ABC2', workflowId: 'WF', chunkRange: '1:2' }, 'x'));
      expect((await sender.head(id)).status).toBe(200);
      const stranger = await exchange.client('Y99ABC3', { version }).head(id);
      const unknown = await sender.head('20200101000000000000_ABCDEF');
      expect([stranger.status, unknown.status, stranger.body.length]).toEqual([404, 404, 0]);
    });
  });

  it('reports a message nobody collected: an empty body, exact headers, no chunk range, on any chunk number', async () => {
    const id = await send({ 'Mex-Subject': 'my subject', 'Mex-LocalID': 'my-ref-1' });
    const plain = await send();
    exchange.clock.advance(5 * 24 * hourMs + 1000);
    await exchange.runDueWork();
    const sender = exchange.client('X26ABC1');
    const reports = await Promise.all(listedIdsOf(await sender.list()).map((each) => sender.download(each)));
    const about = (of: string): MeshReply | undefined =>
      reports.find(({ headers }) => headers['mex-linkedmsgid'] === of);
    const reply = about(id) ?? expect.unreachable('there is no report');
    expect([reply.status, reply.body.length]).toEqual([200, 0]);
    const { date: _date, connection: _c, 'keep-alive': _k, ...headers } = reply.headers;
    const reportId = headers['mex-messageid'] ?? '';
    expect(headers).toEqual({
      'content-type': 'application/octet-stream',
      'content-length': '0',
      'mex-to': 'X26ABC1',
      'mex-workflowid': 'WF 1',
      'mex-localid': 'my-ref-1',
      'mex-subject': 'NDR: my subject',
      'mex-filename': `${reportId}.dat`,
      'mex-messagetype': 'REPORT',
      'mex-messageid': reportId,
      'mex-linkedmsgid': id,
      'mex-statuscode': '14',
      'mex-statusevent': 'SEND',
      'mex-statusdescription': 'Message not collected by recipient after 5 days',
      'mex-statussuccess': 'ERROR',
      'mex-statustimestamp': expect.stringMatching(/^\d{14}$/),
      'mex-total-chunks': '0',
      'mex-version': '1.0',
      'mex-addresstype': 'ALL',
      'last-modified': expect.stringMatching(httpDate),
    });
    expect(about(plain)?.headers).toMatchObject({ 'mex-subject': 'NDR' });
    expect(about(plain)?.headers).not.toHaveProperty('mex-localid');
    expect((await sender.downloadChunk(reportId, 7)).status).toBe(200);
    expect((await exchange.client('X26ABC2').download(id)).status).toBe(410);
    exchange.clock.advance(6 * 24 * hourMs);
    await exchange.runDueWork();
    expect(listedIdsOf(await sender.list())).toEqual([]);
  });

  it('says in the report when the recipient’s mailbox was deactivated', async () => {
    await exchange.change({ mailboxes: [{ id: 'X26GONE' }] });
    const sender = exchange.client('X26ABC1');
    const id = sentIdOf(await sender.send({ to: 'X26GONE', workflowId: 'WF' }, 'x'));
    await exchange.change({ mailboxes: [{ id: 'X26GONE', state: 'closed' }] });
    exchange.clock.advance(5 * 24 * hourMs + 1000);
    await exchange.runDueWork();
    const report = await sender.download(listedIdsOf(await exchange.client('X26ABC1').list()).at(-1) ?? '');
    expect(report.headers).toMatchObject({
      'mex-linkedmsgid': id,
      'mex-statuscode': '14',
      'mex-statusdescription': 'Message was not collected as the mailbox is deactivated',
    });
  });

  it('knows nothing of a message after 30 days: not by download, not by HEAD, not by tracking', async () => {
    const id = await send();
    await exchange.client('X26ABC2').acknowledge(id);
    exchange.clock.advance(30 * 24 * hourMs + 1000);
    const [reader, sender] = [exchange.client('X26ABC2'), exchange.client('X26ABC1')];
    expectError(await reader.download(id), 2, notThere);
    expect((await reader.head(id)).status).toBe(404);
    expect((await sender.head(id)).status).toBe(404);
    expectError(await sender.track(id), 2, { status: 404, text: 'Not Found' });
  });
});
