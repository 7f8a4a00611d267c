import { randomBytes } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MeshReply, sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { bothRules } from '../../kit/wire-answers.ts';

const inlineBytesMax = 4096;
const texts = { 'kept in the ledger': 'a small payload', 'kept as a file': 'a larger payload '.repeat(20_000) };
const gzipMagic = Buffer.from([0x1f, 0x8b, 0x08]);

/** One gzip member, whole, with nothing behind it: some clients stop reading at the first end. */
function isOneMember(bytes: Buffer): boolean {
  const rest = bytes.indexOf(gzipMagic, 1);
  return gunzipSync(bytes).length > 0 && (rest === -1 || isNoMember(bytes.subarray(rest)));
}

function isNoMember(bytes: Buffer): boolean {
  try {
    gunzipSync(bytes);
    return false;
  } catch {
    return true;
  }
}

describe.each(bothRules)('content encoding under the %s rules', (rules) => {
  let exchange: ExchangeInProcess;
  beforeAll(async () => {
    const settings = { OPENMESH_INLINE_BODY_BYTES_MAX: String(inlineBytesMax) };
    exchange = await ExchangeInProcess.start({ rules, tls: 'off', settings });
  });
  afterAll(() => exchange.stop());

  const send = async (body: Buffer | string, encoding: string | null): Promise<string> => {
    const headers = { 'Content-Encoding': encoding };
    return sentIdOf(await exchange.client('X26ABC1').send({ to: 'X26ABC2', workflowId: 'WF' }, body, { headers }));
  };
  const get = (id: string, version: 1 | 2, accepts: string | null): Promise<MeshReply> =>
    exchange.client('X26ABC2', { version }).download(id, { headers: { 'Accept-Encoding': accepts } });

  describe.each(Object.entries(texts))('of a body %s', (_place, text) => {
    it.each([
      { stored: 'gzip', accepts: true, version: 1, out: 'as stored' },
      { stored: 'gzip', accepts: true, version: 2, out: 'as stored' },
      { stored: 'gzip', accepts: false, version: 1, out: 'unpacked' },
      { stored: 'gzip', accepts: false, version: 2, out: 'unpacked' },
      { stored: null, accepts: true, version: 1, out: 'plain' },
      { stored: null, accepts: true, version: 2, out: 'squeezed' },
      { stored: null, accepts: false, version: 1, out: 'plain' },
      { stored: null, accepts: false, version: 2, out: 'plain' },
    ] as const)('$out: stored $stored, gzip accepted: $accepts, version $version', async (row) => {
      // Level 0 keeps the packed bytes as large as the text, so that both kinds of storing are met.
      const sent = row.stored === 'gzip' ? gzipSync(text, { level: 0 }) : Buffer.from(text);
      const reply = await get(await send(sent, row.stored), row.version, row.accepts ? 'gzip' : null);
      const packed = row.out === 'as stored' || row.out === 'squeezed';
      expect(reply.status).toBe(200);
      expect(reply.headers['content-encoding']).toBe(packed ? 'gzip' : undefined);
      expect(reply.headers['mex-content-compressed']).toBe(packed ? 'Y' : undefined);
      if (row.out === 'as stored') expect(reply.body.equals(sent)).toBe(true);
      else if (row.out === 'squeezed') expect(isOneMember(reply.body)).toBe(true);
      expect((packed ? gunzipSync(reply.body) : reply.body).toString()).toBe(text);
    });

    it.each([1, 2] as const)('gives bytes that claim to be gzip and are not as they came, in version %i', async (v) => {
      const id = await send(text, 'gzip');
      for (const accepts of ['gzip', null]) {
        const reply = await get(id, v, accepts);
        expect([reply.status, reply.headers['content-encoding']]).toEqual([200, 'gzip']);
        expect(reply.body.toString()).toBe(text);
      }
    });
  });

  it.each([
    ['in the ledger', 100],
    ['as a file', 300_000],
  ])('gives bytes that begin like gzip and are not as they came (kept %s)', async (_place, length) => {
    const sent = Buffer.concat([gzipMagic, Buffer.alloc(length, 'x')]);
    const reply = await get(await send(sent, 'gzip'), 2, null);
    expect([reply.status, reply.headers['content-encoding']]).toEqual([200, 'gzip']);
    expect(reply.body.equals(sent)).toBe(true);
  });

  const whole = gzipSync(randomBytes(600_000));
  it.each([
    ['that break off', whole.subarray(0, 500_000)],
    ['with something behind them', Buffer.concat([whole, Buffer.from('more')])],
    ['that break off and unpack to much', gzipSync(Buffer.alloc(3_000_000)).subarray(0, -8)],
  ])('never lets packed bytes %s pass for whole, and then gives them as they came', async (_how, sent) => {
    const id = await send(sent, 'gzip');
    await expect(get(id, 2, null)).rejects.toThrow();
    for (const version of [1, 2] as const) {
      const { status, headers, body } = await get(id, version, null);
      expect([status, headers['content-encoding'], headers['mex-content-compressed']]).toEqual([200, 'gzip', 'Y']);
      expect(body.equals(sent)).toBe(true);
    }
    expect((await get(id, 2, 'gzip')).body.equals(sent)).toBe(true);
  });

  it.each([
    ['gzip, compress, deflate, br', true],
    ['GZIP', true],
    ['br;q=1.0, gzip;q=0.5', true],
    ['gzip;q=0', false],
    ['gzip; q=0.0', false],
    ['deflate, br', false],
    ['identity', false],
    ['*', false],
    ['x-gzip', false],
    ['', false],
  ])('reads Accept-Encoding %o as gzip: %s', async (accepts, takes) => {
    const reply = await get(await send('payload', null), 2, accepts);
    expect(reply.headers['content-encoding']).toBe(takes ? 'gzip' : undefined);
  });

  it.each(['gzip', 'GZIP', ' Gzip '])('takes %o for gzip on the way in', async (encoding) => {
    const reply = await get(await send(gzipSync('text'), encoding), 2, null);
    expect(reply.body.toString()).toBe('text');
  });

  it.each(['identity', ''])('takes %o for no encoding', async (encoding) => {
    const reply = await get(await send('text', encoding), 1, 'gzip');
    expect([reply.body.toString(), reply.headers['content-encoding']]).toEqual(['text', undefined]);
  });

  it('packs and unpacks every chunk by itself, so that the parts join to the original', async () => {
    const sender = exchange.client('X26ABC1');
    const headers = { 'Content-Encoding': 'gzip' };
    const target = { to: 'X26ABC2', workflowId: 'WF', chunkRange: '1:2' };
    const id = sentIdOf(await sender.send(target, gzipSync('first half, '), { headers }));
    await sender.sendChunk(id, 2, 2, gzipSync('second half'), { headers });
    const reader = exchange.client('X26ABC2');
    const parts = [await reader.downloadChunk(id, 1), await reader.downloadChunk(id, 2)];
    expect(parts.map(({ body }) => body.toString()).join('')).toBe('first half, second half');
  });

  it('tells of the encoding as stored in a HEAD', async () => {
    const reader = exchange.client('X26ABC2');
    const packed = await reader.head(await send(gzipSync('text'), 'gzip'));
    expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', 'mex-content-compressed': 'Y' });
    expect((await reader.head(await send('text', null))).headers).not.toHaveProperty('content-encoding');
  });
});
