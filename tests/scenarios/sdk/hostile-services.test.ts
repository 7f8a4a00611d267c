import { gzipSync } from 'node:zlib';
import { type Download, MeshClient, type MeshClientOptions, MeshError } from '@openmesh/sdk';
import { describe, expect, it } from 'vitest';
import { guardLeaks } from '../../kit/leak-guard.ts';
import { type RawAnswer, rawJson, startRawService } from '../../kit/raw-service.ts';
import { noPause } from '../../kit/sdk-client.ts';

guardLeaks();

const id = '20261126053737000123_7C01AB';
const handshake = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';

function clientOf(url: string, more: Partial<MeshClientOptions> = {}): MeshClient {
  const options = { url, mailboxId: 'X26ABC1', password: 'secret-password', sharedKey: 'secret-key' };
  return new MeshClient({ ...options, surroundings: { wait: noPause }, retry: { attempts: 2 }, ...more });
}

/** What a call throws at a service that answers so. Every one must be ours, and hold no secret. */
async function thrownBy(
  answer: RawAnswer,
  call: (client: MeshClient) => Promise<unknown>,
  more: Partial<MeshClientOptions> = {},
): Promise<MeshError> {
  await using service = await startRawService(answer);
  await using client = clientOf(service.url, more);
  const error: unknown = await call(client).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof MeshError)) throw new Error(`not a MeshError: ${String(error)}`);
  expect(error.message + error.hint).not.toMatch(/secret/);
  return error;
}

const always =
  (bytes: string, end = false): RawAnswer =>
  () => ({ bytes, end });

async function contentOf(download: Download): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for await (const block of download) blocks.push(block);
  return Buffer.concat(blocks);
}

const read = async (client: MeshClient): Promise<Buffer> => contentOf(await client.download(id));
const busy = (seconds: number): string =>
  `HTTP/1.1 503 Service Unavailable\r\nretry-after: ${seconds}\r\ncontent-length: 0\r\n\r\n`;
const dataHead = (more: string): string => `HTTP/1.1 200 OK\r\nmex-messagetype: DATA\r\n${more}\r\n\r\n`;

const pageOf = (messages: readonly unknown[], links = {}): string => rawJson(JSON.stringify({ messages, links }));

async function* endless(): AsyncGenerator<string> {
  yield 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
  for (;;) yield `10000\r\n${'['.repeat(0x10000)}\r\n`;
}

async function walk(client: MeshClient): Promise<void> {
  for await (const listed of client.inbox()) void listed;
}

function sendOne(client: MeshClient): Promise<unknown> {
  return client.send({ to: 'X26ABC2', workflowId: 'WF' }, Buffer.from('x'));
}

describe('a service that means harm, or is none', () => {
  it.each([
    ['headers without end', always(`HTTP/1.1 200 OK\r\n${'x-fill: 0123456789\r\n'.repeat(5000)}`), 'answer-too-large'],
    ['no HTTP at all', always('SSH-2.0-OpenSSH_9.2\r\n'), 'answer-lost'],
    ['a page of a captive portal', always(rawJson('<html>Sign in</html>')), 'unexpected-answer'],
    ['JSON of another shape', always(rawJson('{"messages":"none"}')), 'unexpected-answer'],
    ['JSON that is null', always(rawJson('null')), 'unexpected-answer'],
    [
      'a redirect',
      always('HTTP/1.1 302 Found\r\nlocation: https://example.org/\r\ncontent-length: 0\r\n\r\n'),
      'unexpected-answer',
    ],
    ['a success of another kind', always(rawJson('{}', 'HTTP/1.1 204 No Content')), 'unexpected-answer'],
    [
      'an answer cut short',
      always('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{"messages":[]}', true),
      'answer-lost',
    ],
  ])('%s ends a listing with a typed error', async (_what, answer, code) => {
    const first: RawAnswer = (request) => (request.number === 0 ? { bytes: handshake } : answer(request));
    expect((await thrownBy(first, (client) => client.list())).code).toBe(code);
  });

  it.each([
    ['ended without an answer', always('', true), 'answer-lost', /^Nothing was sent\..*https:.*client certificate/],
    [
      'failed at a gateway',
      always('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n'),
      'service-failed',
      /^Nothing was/,
    ],
    ['failed inside', always(rawJson('{"message":"x"}', 'HTTP/1.1 500 Error')), 'service-failed', /^Nothing was sent/],
  ])('a send whose handshake %s leaves no doubt about the message', async (_how, answer, code, hint) => {
    const told = { code, operation: 'handshake', class: 'transient', message: expect.stringMatching(/^handshake: /) };
    expect(await thrownBy(answer, sendOne)).toMatchObject({ ...told, hint: expect.stringMatching(hint) });
  });

  it('a JSON answer without end is cut at its limit', async () => {
    const error = await thrownBy(
      ({ number }) => ({ bytes: number === 0 ? handshake : endless() }),
      (client) => client.list(),
      { limits: { jsonBytes: 1_000_000 } },
    );
    expect(error).toMatchObject({ code: 'answer-too-large' });
    expect(error.message).toContain('jsonBytes');
  });

  it('the body of a refusal is read to its limit and no further, and the refusal stands', async () => {
    const answer = always(`HTTP/1.1 403 Forbidden\r\ncontent-length: 99999999\r\n\r\n${'x'.repeat(200_000)}`);
    expect(await thrownBy(answer, (client) => client.handshake())).toMatchObject({
      code: 'unexpected-refusal',
      status: 403,
    });
  });

  it.each([
    ['in a circle', () => 'same-token-same-token-same'],
    ['without end', (number: number) => `token-${number}`.padEnd(30, 'x')],
  ])('pages that go on %s end', async (_how, token) => {
    const answer: RawAnswer = ({ number }) => {
      const next = `/messageexchange/X26ABC1/inbox?continue_from=${token(number)}`;
      return { bytes: number === 0 ? handshake : rawJson(JSON.stringify({ messages: [], links: { next } })) };
    };
    expect((await thrownBy(answer, walk, { limits: { inboxPages: 20 } })).code).toBe('unexpected-answer');
  });

  it('an id that is none, such as a path, hides no other, and is told once all others were handed out', async () => {
    const ids = [id, '../../etc/passwd', 7, '', 'a-b', id.replace('0', '1')];
    const next = '/messageexchange/X26ABC1/inbox?continue_from=token-token-token-token-token';
    await using service = await startRawService(({ number, head }) => {
      if (number === 0) return { bytes: handshake };
      const isFirst = !head.includes('continue_from');
      return { bytes: isFirst ? pageOf(ids, { next }) : pageOf([id.replace('0', '2')]) };
    });
    await using client = clientOf(service.url);
    expect(await client.list()).toMatchObject({ messages: [id, id.replace('0', '1')], unusable: 4 });
    const listed: string[] = [];
    const walking = (async () => {
      for await (const messageId of client.inbox()) listed.push(messageId);
    })();
    await expect(walking).rejects.toMatchObject({
      code: 'unexpected-answer',
      message: expect.stringMatching(/^[^/]*4 of/),
    });
    expect(listed).toEqual([id, id.replace('0', '1'), id.replace('0', '2')]);
  });

  it('a next page somewhere else is asked for here', async () => {
    const next = 'https://example.org/steal?continue_from=abcdefghijklmnopqrstuvwxyz';
    const pages = [handshake, rawJson(JSON.stringify({ messages: [id], links: { next } })), rawJson('{"messages":[]}')];
    await using service = await startRawService(({ number }) => ({ bytes: pages[number] ?? '' }));
    await using client = clientOf(service.url);
    const ids: string[] = [];
    for await (const listed of client.inbox()) ids.push(listed);
    expect(ids).toEqual([id]);
    expect(service.requests[2]).toBe(
      'GET /messageexchange/X26ABC1/inbox?continue_from=abcdefghijklmnopqrstuvwxyz HTTP/1.1',
    );
  });

  it.each([
    ['another message', dataHead('mex-messageid: 20261126053737000123_000000\r\ncontent-length: 0')],
    ['another chunk', dataHead('mex-chunk-range: 2:3\r\ncontent-length: 0')],
    ['two numbers of chunks', dataHead('mex-chunk-range: 1:3\r\nmex-total-chunks: 2\r\ncontent-length: 0')],
    ['a number of chunks beyond all bounds', dataHead('mex-total-chunks: 99999999\r\ncontent-length: 0')],
    ['an encoding nobody asked for', dataHead('content-encoding: br\r\ncontent-length: 0')],
    ['no length, so that nobody can tell whether it is whole', dataHead('x: y')],
    ['a page of a proxy', 'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>'],
  ])('a download that is %s is refused before a byte of it is handed out', async (_what, bytes) => {
    expect(await thrownBy(always(bytes, true), read)).toMatchObject({ code: 'unexpected-answer', messageId: id });
  });

  it('a download shorter than announced is no download', async () => {
    const short = always(`${dataHead('content-length: 100')}only this`, true);
    expect(await thrownBy(short, read)).toMatchObject({ code: 'answer-lost', class: 'ambiguous' });
  });

  it('gzip that is none, or is cut off, is no download', async () => {
    const packed = gzipSync(Buffer.alloc(10_000, 'abc')).toString('latin1');
    for (const body of ['this is no gzip', packed.slice(0, -20)]) {
      const bytes = `${dataHead(`content-encoding: gzip\r\ncontent-length: ${body.length}`)}${body}`;
      expect((await thrownBy(always(bytes), read)).code).toBe('content-damaged');
    }
  });

  it('a chunk that is another one when it is asked for again is found out', async () => {
    const head = dataHead('content-length: 20');
    const [first, then] = [`${head}0123456789`, `${head}9876543210abcdefghij`];
    const error = await thrownBy(({ number }) => ({ bytes: number === 0 ? first : then, end: number === 0 }), read);
    expect(error).toMatchObject({ code: 'unexpected-answer' });
    expect(error.message).toContain('another one');
  });

  it('a few bytes that unpack to more than the limit are not unpacked to their end', async () => {
    const packed = gzipSync(Buffer.alloc(50_000_000)).toString('latin1');
    const bytes = `${dataHead(`content-encoding: gzip\r\ncontent-length: ${packed.length}`)}${packed}`;
    let received = 0;
    const drain = async (client: MeshClient): Promise<void> => {
      for await (const block of await client.download(id)) received += block.length;
    };
    const error = await thrownBy(always(bytes), drain, { limits: { downloadBytes: 1_000_000 } });
    expect(error.code).toBe('answer-too-large');
    expect(received).toBeLessThanOrEqual(1_000_000);
  });

  it('a pause it asks for is kept when it is short, and is the caller’s to keep when it is long', async () => {
    const waits: number[] = [];
    const surroundings = { random: () => 0.5, wait: (ms: number) => Promise.resolve(void waits.push(ms)) };
    const more = { surroundings, retry: { attempts: 3, firstDelayMs: 1000 } };
    expect(await thrownBy(always(busy(7)), (client) => client.handshake(), more)).toMatchObject({
      code: 'service-busy',
      class: 'transient',
      retryAfterMs: 7000,
    });
    expect(waits).toEqual([7500, 8000]);
    const error = await thrownBy(always(busy(86_400)), (client) => client.handshake(), more);
    expect(error.retryAfterMs).toBe(86_400_000);
    expect(waits).toHaveLength(2);
  });

  it('every attempt carries a token of its own', async () => {
    const tokens: string[] = [];
    const answer: RawAnswer = ({ head }) => {
      tokens.push(/^authorization: (.*)$/im.exec(head)?.[1] ?? '');
      return { bytes: 'HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n' };
    };
    await thrownBy(answer, (client) => client.handshake(), { retry: { attempts: 4 } });
    expect(new Set(tokens).size).toBe(4);
  });

  it('words of the service are kept apart from the text of the error', async () => {
    const detail = [{ event: 'SEND', code: '99', msg: 'Patient Jane Doe is unknown' }];
    const error = await thrownBy(always(rawJson(JSON.stringify({ detail }), 'HTTP/1.1 417 No')), (c) => c.handshake());
    expect(error.wire).toEqual({ event: 'SEND', code: '99', text: 'Patient Jane Doe is unknown' });
    expect(error.message).not.toContain('Jane');
    const invalid = [{ type: 'string_too_long', loc: ['header', 'mex-subject'], msg: 'too long', input: 'Jane Doe' }];
    const failed = await thrownBy(always(rawJson(JSON.stringify({ detail: invalid }), 'HTTP/1.1 400 No')), (c) =>
      c.handshake(),
    );
    expect(failed).toMatchObject({
      code: 'validation-failed',
      fields: [{ where: 'header mex-subject', problem: 'string_too_long' }],
    });
    expect(JSON.stringify(failed)).not.toContain('Jane');
  });
});
