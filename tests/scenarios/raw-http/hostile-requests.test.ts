import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonOf, listedIdsOf } from '../../kit/mesh-client.ts';
import { RawConnection } from '../../kit/raw-connection.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

let exchange: ExchangeInProcess;
beforeAll(async () => {
  const settings = {
    OPENMESH_HEADER_BYTES_MAX: '16384',
    OPENMESH_DRAIN_BYTES_MAX: '1000000',
    OPENMESH_CHUNK_BYTES_MAX: '2000000',
  };
  exchange = await ExchangeInProcess.start({ tls: 'off', settings });
});
afterAll(() => exchange.stop());

const head = (more: string, to = 'X26ABC2'): string =>
  `POST /messageexchange/X26ABC1/outbox HTTP/1.1\r\nhost: x\r\nmex-to: ${to}\r\nmex-workflowid: WF\r\n` +
  `authorization: ${exchange.client('X26ABC1').authorization()}\r\n${more}\r\n`;
/** A second request hidden behind the first: were it answered, somebody's request would have been smuggled. */
const hidden = 'GET /messageexchange/_ping HTTP/1.1\r\nhost: x\r\n\r\n';
const waiting = async (): Promise<number> => listedIdsOf(await exchange.client('X26ABC2').list()).length;

describe('requests that two readers could read differently', () => {
  it.each([
    ['a length and a transfer encoding', `content-length: 4\r\ntransfer-encoding: chunked\r\n`, '0\r\n\r\n'],
    ['two lengths that differ', 'content-length: 1\r\ncontent-length: 50\r\n', 'x'],
    ['two equal lengths', 'content-length: 1\r\ncontent-length: 1\r\n', 'x'],
    ['a list of lengths', 'content-length: 1, 1\r\n', 'x'],
    ['a signed length', 'content-length: +1\r\n', 'x'],
    ['a hexadecimal length', 'content-length: 0x1\r\n', 'x'],
    ['a negative length', 'content-length: -1\r\n', 'x'],
    ['a space before the colon', 'content-length : 1\r\n', 'x'],
    ['a transfer encoding twice', 'transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n', '0\r\n\r\n'],
    ['a transfer encoding that does not end in chunked', 'transfer-encoding: chunked, identity\r\n', '0\r\n\r\n'],
    ['an unknown transfer encoding', 'transfer-encoding: xchunked\r\n', '0\r\n\r\n'],
    ['a folded header', 'transfer-encoding:\r\n chunked\r\n', '0\r\n\r\n'],
    ['a chunk size that is no number', 'transfer-encoding: chunked\r\n', 'zz\r\nx\r\n0\r\n\r\n'],
    ['a chunk size with a sign', 'transfer-encoding: chunked\r\n', '-1\r\nx\r\n0\r\n\r\n'],
    ['a chunk size with 0x', 'transfer-encoding: chunked\r\n', '0x1\r\nx\r\n0\r\n\r\n'],
    ['a chunk longer than it says', 'transfer-encoding: chunked\r\n', '1\r\nxyz\r\n0\r\n\r\n'],
    ['a chunk size too large to count', 'transfer-encoding: chunked\r\n', 'fffffffffffffffff\r\nx\r\n0\r\n\r\n'],
    ['a line that ends in a bare line feed', 'x: y\ncontent-length: 1\r\n', 'x'],
    ['a bare carriage return in a header', 'x: a\rb\r\ncontent-length: 1\r\n', 'x'],
    ['a NUL in a header', 'x: a\0b\r\ncontent-length: 1\r\n', 'x'],
    ['an empty header name', ': x\r\ncontent-length: 1\r\n', 'x'],
  ])('%s: refused, the connection closed, and nothing behind it answered', async (_what, more, body) => {
    const before = await waiting();
    await using connection = await RawConnection.open(exchange);
    await connection.send(head(more) + body + hidden);
    const everything = await connection.rest();
    expect(everything).toMatch(/^HTTP\/1\.1 400 /);
    expect(everything.match(/HTTP\/1\.1 \d{3}/g)).toHaveLength(1);
    expect(everything).not.toContain('running');
    expect(await waiting()).toBe(before);
  });

  it('cut off in the middle of a body leaves nothing behind', async () => {
    const before = await waiting();
    const connection = await RawConnection.open(exchange);
    await connection.send(`${head('content-length: 100000\r\n')}only this much`);
    await connection[Symbol.asyncDispose]();
    await using other = await RawConnection.open(exchange);
    await other.send(`${head('transfer-encoding: chunked\r\n')}5\r\nhello\r\n`);
    other.finish();
    await other.rest();
    expect(await waiting()).toBe(before);
  });
});

describe('requests that are too large', () => {
  it('are answered 431 when it is their headers, in the error shape, and recorded', async () => {
    await using connection = await RawConnection.open(exchange);
    await connection.send(head(`x-filler: ${'f'.repeat(20_000)}\r\n`));
    const answer = await connection.answer();
    expect(answer?.status).toBe(431);
    expect(JSON.parse(answer?.body.toString() ?? '')).toEqual({
      errorEvent: '',
      errorCode: '',
      errorDescription: 'Request Header Fields Too Large',
    });
    const [newest] = await exchange.refusals({ reason: 'headers-too-large' });
    expect(newest).toMatchObject({ address: '127.0.0.1', mailbox: null });
  });

  it('are answered 431 when it is the number of their headers', async () => {
    await using connection = await RawConnection.open(exchange);
    const many = Array.from({ length: 5000 }, (_each, at) => `h${at}: v\r\n`).join('');
    await connection.send(head(many));
    expect((await connection.answer())?.status).toBe(431);
  });

  it('hold headers of 16 KiB together', async () => {
    await using connection = await RawConnection.open(exchange);
    await connection.send(`${head(`content-length: 1\r\nx-filler: ${'f'.repeat(15_500)}\r\n`)}x`);
    expect((await connection.answer())?.status).toBe(202);
  });

  it('show their status although the body was refused early: it is read and dropped first', async () => {
    await using connection = await RawConnection.open(exchange);
    const refused = head('content-length: 900000\r\n', 'X26ABC2').replace('NHSMESH X26ABC1', 'NHSMESH X26ABC9');
    await connection.send(refused);
    for (let sent = 0; sent < 9; sent += 1) await connection.send(new Uint8Array(100_000));
    expect((await connection.answer())?.status).toBe(403);
    await connection.send(hidden);
    expect((await connection.answer())?.status).toBe(200);
  });

  it('show their status before a body nobody wants to read, and end the connection', async () => {
    await using connection = await RawConnection.open(exchange);
    await connection.send(head('content-length: 4000000000\r\n'));
    const answer = await connection.answer();
    expect([answer?.status, answer?.header('connection')]).toEqual([413, 'close']);
    await connection.rest();
  });

  it('are counted by what came of them, never by what they say of themselves', async () => {
    const received = async (): Promise<number> => {
      const answer = await fetch(`http://127.0.0.1:${exchange.running.operatorsPort}/metrics`);
      return Number(/^openmesh_received_bytes_total (\S+)$/m.exec(await answer.text())?.[1] ?? 0);
    };
    const before = await received();
    await using liar = await RawConnection.open(exchange);
    await liar.send(`${head('content-length: 9007199254740991\r\n')}four`);
    expect((await liar.answer())?.status).toBe(413);
    await using chunked = await RawConnection.open(exchange);
    await chunked.send(`${head('transfer-encoding: chunked\r\n')}5\r\nhello\r\n0\r\n\r\n`);
    expect((await chunked.answer())?.status).toBe(202);
    expect((await received()) - before).toBe(9);
  });

  it('show their status when a body without a length outgrows what is dropped', async () => {
    await using connection = await RawConnection.open(exchange);
    await connection.send(head('transfer-encoding: chunked\r\n'));
    const piece = Buffer.concat([Buffer.from('186a0\r\n'), new Uint8Array(100_000), Buffer.from('\r\n')]);
    for (let sent = 0; sent < 40; sent += 1) await connection.send(piece);
    expect((await connection.answer())?.status).toBe(413);
  });
});

describe('paths that try to be another', () => {
  const escapes = [
    '%2F',
    '%2f',
    '%2E%2E',
    '..',
    '.',
    '%00',
    '%5C',
    '\\',
    '%c0%af',
    '%c0%ae%c0%ae',
    '%e0%80%af',
    '%252F',
    '%EF%BC%8F',
    '%',
    '%2',
    '%GG',
    '%FF',
    '..%2F..%2Fetc%2Fpasswd',
    '%0d%0aX-Injected:%201',
  ];
  const places = [
    (segment: string) => `/messageexchange/${segment}/inbox`,
    (segment: string) => `/messageexchange/X26ABC1${segment}X26ABC2/inbox`,
    (segment: string) => `/messageexchange/X26ABC1/inbox/${segment}`,
    (segment: string) => `/messageexchange/X26ABC1/inbox/${segment}/1`,
    (segment: string) => `/messageexchange/X26ABC1/inbox/a/${segment}`,
    (segment: string) => `/messageexchange/X26ABC1/outbox/tracking/${segment}`,
    (segment: string) => `/messageexchange/endpointlookup/${segment}/${segment}`,
    (segment: string) => `/messageexchange/workflowsearch/${segment}`,
    (segment: string) => `/${segment}/X26ABC1/inbox`,
  ];

  it.each(escapes)('with %s in any segment: never another’s data, never a fault of ours', async (escape) => {
    for (const place of places) {
      const path = place(escape);
      await using connection = await RawConnection.open(exchange);
      const token = exchange.client('X26ABC1').authorization();
      await connection.send(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${token}\r\n\r\n`);
      const answer = await connection.answer();
      expect([path, answer?.status]).toEqual([path, expect.toBeOneOf([200, 400, 403, 404])]);
      expect(answer?.head.toLowerCase()).not.toContain('x-injected');
      const body = JSON.parse(answer?.body.toString('latin1') ?? '') as Record<string, unknown>;
      // Only look-ups answer anybody, and they found nobody.
      if (answer?.status === 200) expect(body).toMatchObject({ results: [] });
    }
  });

  it('leave the exchange well', async () => {
    expect(jsonOf(await exchange.client('X26ABC1').count())).toEqual({ count: expect.any(Number) });
  });
});
