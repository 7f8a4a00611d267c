import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listedIdsOf, sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;
const hexOf = (algorithm: string, body: string): string => createHash(algorithm).update(body).digest('hex');
const base64Of = (algorithm: string, body: string): string =>
  createHash(algorithm).update(body).digest('base64').replaceAll('=', '');

const checksums = [
  ['MD5 in hex', hexOf('md5', 'payload')],
  ['SHA-256 in hex', hexOf('sha256', 'payload')],
  ['labelled SHA-256', `sha256:${hexOf('sha256', 'payload')}`],
];

async function told(exchange: ExchangeInProcess, id: string): Promise<string[]> {
  return (await exchange.timeline(id)).map(({ kind }) => kind).filter((kind) => kind.startsWith('checksum'));
}

describe('the timeline of a message', () => {
  let exchange: ExchangeInProcess;
  beforeAll(async () => {
    exchange = await ExchangeInProcess.start({ tls: 'off' });
    exchange.clock.freeze(exchange.clock.nowMs());
  });
  afterAll(() => exchange.stop());

  const send = async (headers: Record<string, string> = {}, body: string | Buffer = 'payload'): Promise<string> =>
    sentIdOf(await exchange.client('X26ABC1').send({ to: 'X26ABC2', workflowId: 'WF' }, body, { headers }));
  const story = async (id: string): Promise<string[][]> =>
    (await exchange.timeline(id)).map(({ kind, actor }) => [kind, actor]);

  it('tells who accepted, first listed, first and last downloaded and acknowledged it, and when', async () => {
    const startMs = exchange.clock.nowMs();
    const id = await send();
    const reader = exchange.client('X26ABC2');
    const step = async (act: () => Promise<unknown>): Promise<void> => {
      exchange.clock.advance(minuteMs);
      await act();
    };
    await step(() => reader.list());
    await step(() => reader.list());
    for (let time = 0; time < 3; time += 1) await step(() => reader.download(id));
    await step(() => reader.acknowledge(id));
    const events = await exchange.timeline(id);
    expect(events.map(({ kind, actor, atMs, detail }) => [kind, actor, (atMs - startMs) / minuteMs, detail])).toEqual([
      ['accepted', 'X26ABC1', 0, ''],
      ['first-listed', 'X26ABC2', 1, ''],
      ['first-downloaded', 'X26ABC2', 3, ''],
      ['last-downloaded', 'X26ABC2', 5, '3 downloads'],
      ['acknowledged', 'X26ABC2', 6, ''],
    ]);
  });

  it('keeps the facts of collection over a restart', async () => {
    const id = await send();
    await exchange.client('X26ABC2').list();
    await exchange.client('X26ABC2').download(id);
    await exchange.restart();
    await exchange.client('X26ABC2').download(id);
    expect((await exchange.timeline(id)).map(({ kind, detail }) => [kind, detail])).toEqual([
      ['accepted', ''],
      ['first-listed', ''],
      ['first-downloaded', ''],
      ['last-downloaded', '2 downloads'],
    ]);
  });

  it('tells when an upload began and when its last chunk made it complete', async () => {
    const sender = exchange.client('X26ABC1');
    const id = sentIdOf(await sender.send({ to: 'X26ABC2', workflowId: 'WF', chunkRange: '1:2' }, 'one'));
    expect(await story(id)).toEqual([['upload-started', 'X26ABC1']]);
    await sender.sendChunk(id, 2, 2, 'two');
    expect(await story(id)).toEqual([
      ['upload-started', 'X26ABC1'],
      ['accepted', 'X26ABC1'],
    ]);
  });

  it('tells why a refused send failed', async () => {
    const reply = await exchange.client('X26ABC1').send({ to: 'NOBODY9', workflowId: 'WF' }, 'x');
    const events = await exchange.timeline(sentIdOf(reply));
    expect(events).toMatchObject([
      { kind: 'refused', actor: 'exchange', detail: 'unregistered-recipient: mailbox NOBODY9 is unknown' },
    ]);
  });

  it('tells of expiry, of an upload given up, and on the report that it was made', async () => {
    const waiting = await send();
    const sender = exchange.client('X26ABC1');
    const begun = sentIdOf(await sender.send({ to: 'X26ABC2', workflowId: 'WF', chunkRange: '1:2' }, 'one'));
    exchange.clock.advance(5 * dayMs + 1000);
    await exchange.runDueWork();
    expect((await story(waiting)).at(-1)).toEqual(['expired', 'exchange']);
    expect((await story(begun)).at(-1)).toEqual(['abandoned', 'exchange']);
    const reports = listedIdsOf(await exchange.client('X26ABC1').list());
    const kinds = await Promise.all(reports.map(async (id) => (await story(id))[0]));
    expect(kinds).toEqual(reports.map(() => ['reported', 'exchange']));
    const about = await Promise.all(reports.map((id) => exchange.client('X26ABC1').download(id)));
    const abandoned = about.find(({ headers }) => headers['mex-linkedmsgid'] === begun);
    expect(abandoned?.headers).toMatchObject({ 'mex-statuscode': '02', 'mex-statusevent': 'COLLECT' });
  });

  describe('about a checksum', () => {
    const large = 'x'.repeat(100_000);

    it.each(checksums)('says nothing when it is right (%s), and warns when it is not', async (_what, checksum) => {
      expect(await told(exchange, await send({ 'Mex-Content-Checksum': checksum }))).toEqual([]);
      expect(await told(exchange, await send({ 'Mex-Content-Checksum': checksum }, 'other'))).toEqual([
        'checksum-mismatch',
      ]);
    });

    it('does the same for a labelled digest in base64', async () => {
      const body = ['payload', 'paylead', 'payload.'].find((each) => !base64Of('sha256', each).includes('+')) ?? '';
      const checksum = `sha256:${base64Of('sha256', body)}`;
      expect(await told(exchange, await send({ 'Mex-Content-Checksum': checksum }, body))).toEqual([]);
      expect(await told(exchange, await send({ 'Mex-Content-Checksum': checksum }, 'other'))).toEqual([
        'checksum-mismatch',
      ]);
    });

    it('judges a streamed body by SHA-256, and says that an MD5 was not checked', async () => {
      const right = { 'Mex-Content-Checksum': hexOf('sha256', large) };
      expect(await told(exchange, await send(right, large))).toEqual([]);
      expect(await told(exchange, await send(right, `${large}x`))).toEqual(['checksum-mismatch']);
      const md5 = { 'Mex-Content-Checksum': hexOf('md5', large) };
      expect(await told(exchange, await send(md5, large))).toEqual(['checksum-not-checked']);
    });

    it('says that it was not checked when the message came in chunks', async () => {
      const headers = { 'Mex-Content-Checksum': hexOf('md5', 'x'), 'Mex-Chunk-Range': '1:2' };
      expect(await told(exchange, await send(headers))).toEqual(['checksum-not-checked']);
    });

    it('says nothing of a text that is no digest, and passes every checksum on', async () => {
      const id = await send({ 'Mex-Content-Checksum': 'not a digest' });
      expect(await told(exchange, id)).toEqual([]);
      expect((await exchange.client('X26ABC2').download(id)).headers['mex-content-checksum']).toBe('not a digest');
    });
  });
});
