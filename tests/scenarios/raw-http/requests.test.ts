import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sentIdOf } from '../../kit/mesh-client.ts';
import { RawConnection } from '../../kit/raw-connection.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

const idIn = (body: Buffer): string => (JSON.parse(body.toString()) as { messageID: string }).messageID;

describe.each(['mutual', 'off'] as const)('requests written byte by byte (TLS: %s)', (tls) => {
  let exchange: ExchangeInProcess;
  beforeAll(async () => {
    exchange = await ExchangeInProcess.start({ tls });
  });
  afterAll(() => exchange.stop());

  const token = (mailbox = 'X26ABC1'): string => exchange.client(mailbox).authorization();
  const sendHead = (more: string, mailbox = 'X26ABC1'): string =>
    `POST /messageexchange/${mailbox}/outbox HTTP/1.1\r\nhost: x\r\nMeX-tO: X26ABC2\r\nMEX-WORKFLOWID: WF\r\n` +
    `aUTHORIZATION: ${token(mailbox)}\r\n${more}\r\n`;
  const get = (path: string, more = '', mailbox = 'X26ABC2', method = 'GET'): string =>
    `${method} /messageexchange/${mailbox}${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${token(mailbox)}\r\n${more}\r\n`;
  const send = async (): Promise<string> =>
    sentIdOf(await exchange.client('X26ABC1').send({ to: 'X26ABC2', workflowId: 'WF' }, 'payload'));

  it('takes header names in any case and writes them in lower case, every one', async () => {
    await using connection = await RawConnection.open(exchange);
    await connection.send(sendHead('cOnTeNt-LeNgTh: 7\r\nmex-SUBJECT: s\r\n') + 'payload');
    const sent = await connection.answer();
    expect(sent?.status).toBe(202);
    await connection.send(get(`/inbox/${idIn(sent?.body ?? Buffer.alloc(0))}`));
    const answer = await connection.answer();
    expect(answer?.status).toBe(200);
    const names = (answer?.head ?? '')
      .split('\r\n')
      .slice(1)
      .map((line) => line.slice(0, line.indexOf(':')));
    expect(names.filter((name) => name !== name.toLowerCase())).toEqual([]);
    expect(answer?.header('mex-chunk-range')).toBe('1:1');
    expect(answer?.header('mex-subject')).toBe('s');
  });

  it('takes a body without a content type', async () => {
    await using connection = await RawConnection.open(exchange);
    await connection.send(`${sendHead('content-length: 1\r\n')}x`);
    expect((await connection.answer())?.status).toBe(202);
  });

  it('takes a body in chunks of transfer, however they are cut', async () => {
    await using connection = await RawConnection.open(exchange);
    await connection.send(sendHead('Transfer-Encoding: chunked\r\n'));
    for (const piece of ['1\r\np', '\r\n3;ext=1\r\nayl', '\r\n', '3\r\noad\r\n0', '\r\n\r\n'])
      await connection.send(piece);
    const sent = await connection.answer();
    expect(sent?.status).toBe(202);
    const reply = await exchange.client('X26ABC2').download(idIn(sent?.body ?? Buffer.alloc(0)));
    expect(reply.body.toString()).toBe('payload');
  });

  it('takes a large body that is cut into single bytes, every one in its place', async () => {
    const body = randomBytes(200_000);
    const pieces = Array.from(body, (byte) => Buffer.from([0x31, 0x0d, 0x0a, byte, 0x0d, 0x0a]));
    await using connection = await RawConnection.open(exchange);
    await connection.send(sendHead('transfer-encoding: chunked\r\n'));
    await connection.send(Buffer.concat([...pieces, Buffer.from('0\r\n\r\n')]));
    const sent = await connection.answer();
    expect(sent?.status).toBe(202);
    const reply = await exchange.client('X26ABC2', { version: 1 }).download(idIn(sent?.body ?? Buffer.alloc(0)));
    expect(reply.body.equals(body)).toBe(true);
  });

  it('answers 100 to a client that waits for it, and then the status', async () => {
    await using connection = await RawConnection.open(exchange);
    await connection.send(sendHead('content-length: 7\r\nExpect: 100-continue\r\n'));
    expect((await connection.answer())?.status).toBe(100);
    await connection.send('payload');
    expect((await connection.answer())?.status).toBe(202);
  });

  it('does not answer a waiting client with a refusal before it read the body', async () => {
    await using connection = await RawConnection.open(exchange);
    const head = sendHead('content-length: 7\r\nExpect: 100-continue\r\n').replace('X26ABC2', 'NOBODY9');
    await connection.send(head);
    expect((await connection.answer())?.status).toBe(100);
    await connection.send('payload');
    expect((await connection.answer())?.status).toBe(417);
  });

  it('gives Latin-1 header bytes back as they were, high controls included', async () => {
    await using connection = await RawConnection.open(exchange);
    const every = Array.from({ length: 0x80 }, (_each, code) => String.fromCharCode(0x80 + code)).join('');
    await connection.send(`${sendHead(`content-length: 1\r\nMex-Subject: a${every}z\r\nMex-LocalID: \xa3\r\n`)}x`);
    const sent = await connection.answer();
    await connection.send(get(`/inbox/${idIn(sent?.body ?? Buffer.alloc(0))}`));
    const answer = await connection.answer();
    expect(answer?.header('mex-subject')).toBe(`a${every}z`);
    expect(answer?.header('mex-localid')).toBe('\xa3');
  });

  it('serves a path with a slash at its end, and the nameless query of one client', async () => {
    const id = await send();
    await using connection = await RawConnection.open(exchange);
    await connection.send(get('/inbox/'));
    expect((await connection.answer())?.status).toBe(200);
    await connection.send(get(`/outbox/tracking?=${id}`, '', 'X26ABC1'));
    expect((await connection.answer())?.body.toString()).toContain(id);
  });

  it('serves a path that is written as a whole URL', async () => {
    await using connection = await RawConnection.open(exchange);
    await connection.send(get('/count').replace(' /', ' https://exchange.example:8700/'));
    expect((await connection.answer())?.status).toBe(200);
  });

  it('answers HEAD without a body, so that the next answer follows at once', async () => {
    const id = await send();
    await using connection = await RawConnection.open(exchange);
    await connection.send(
      get(`/inbox/${id}`, '', 'X26ABC2', 'HEAD') + get('/inbox/no-id', '', 'X26ABC2', 'HEAD') + get('/count'),
    );
    const answers = [await connection.answer('HEAD'), await connection.answer('HEAD'), await connection.answer()];
    expect(answers.map((answer) => answer?.status)).toEqual([200, 404, 200]);
  });

  it('answers requests written one behind the other, in their order', async () => {
    await using connection = await RawConnection.open(exchange);
    const requests = [
      `${sendHead('content-length: 3\r\n')}one`,
      get('/count'),
      get('/nothing'),
      sendHead('content-length: 0\r\n'),
      get('/inbox?max_results=1'),
      `${sendHead('content-length: 3\r\n')}two`,
    ];
    await connection.send(requests.join(''));
    const statuses: (number | undefined)[] = [];
    for (const _each of requests) statuses.push((await connection.answer())?.status);
    expect(statuses).toEqual([202, 200, 404, 417, 400, 202]);
  });

  it('takes a request that comes a byte at a time', async () => {
    await using connection = await RawConnection.open(exchange);
    for (const byte of get('/count')) await connection.send(byte);
    expect((await connection.answer())?.status).toBe(200);
  });

  it('speaks to callers of HTTP/1.0 and to those without a host', async () => {
    await using connection = await RawConnection.open(exchange);
    await connection.send('GET /messageexchange/_ping HTTP/1.0\r\n\r\n');
    expect((await connection.answer())?.status).toBe(200);
    await using hostless = await RawConnection.open(exchange);
    await hostless.send('GET /messageexchange/_ping HTTP/1.1\r\n\r\n');
    expect((await hostless.answer())?.status).toBe(200);
  });

  it.each([
    ['asks for its end', 'HTTP/1.1\r\nhost: x\r\nconnection: close\r\n'],
    ['speaks HTTP/1.0', 'HTTP/1.0\r\n'],
  ])('ends the connection after the answer when the caller %s, and says so', async (_what, more) => {
    const id = await send();
    for (const path of ['/messageexchange/_ping', `/messageexchange/X26ABC2/inbox/${id}`, '/nothing']) {
      await using connection = await RawConnection.open(exchange);
      await connection.send(`GET ${path} ${more}authorization: ${token('X26ABC2')}\r\n\r\n`);
      const everything = await connection.rest();
      expect(everything).toMatch(/^HTTP\/1\.1 \d{3} /);
      expect(everything).toContain('\r\nconnection: close\r\n');
    }
  });

  it('ignores conditions and ranges', async () => {
    const id = await send();
    await using connection = await RawConnection.open(exchange);
    await connection.send(get(`/inbox/${id}`, 'range: bytes=0-1\r\nif-none-match: *\r\n'));
    const answer = await connection.answer();
    expect([answer?.status, answer?.body.toString()]).toEqual([200, 'payload']);
  });
});
