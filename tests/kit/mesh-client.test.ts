import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { authorizationOf, jsonOf, listedIdsOf, MeshClient, sentIdOf } from './mesh-client.ts';

interface Seen {
  readonly line: string;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function answering(answer: (response: http.ServerResponse) => void): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = http.createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const body = Buffer.concat(pieces).toString();
      seen.push({ line: `${request.method} ${request.url}`, rawHeaders: request.rawHeaders, body });
      answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(
    () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

function clientOf(url: string): MeshClient {
  const client = new MeshClient({ url, mailboxId: 'X26ABC1', password: 'password', sharedKey: 'TestKey' });
  closers.push(() => client.close());
  return client;
}

async function* unknownLength(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('one ');
  yield await Promise.resolve(Buffer.from('two'));
}

describe('the raw MESH client of the kit', () => {
  it('hashes tokens as the published vectors do', () => {
    const token = authorizationOf({
      mailboxId: 'X26ABC1',
      password: 'password',
      sharedKey: 'TestKey',
      nonce: 'bd0e2bd5-218e-41d0-83a9-73fdec414803',
      nonceCount: '001',
      timestamp: '202005041305',
    });
    expect(token).toBe(
      'NHSMESH X26ABC1:bd0e2bd5-218e-41d0-83a9-73fdec414803:001:202005041305:' +
        'e5480e8e5a158d8ee68be39af555707a52eaeacaf7100a6f9476bc6b9fc211f8',
    );
  });

  it('sends headers and body as told and gives back what came', async () => {
    const { url, seen } = await answering((response) => {
      response.writeHead(202, { 'X-Odd-Case': 'yes' });
      response.end('{"message_id":"M1"}');
    });
    const reply = await clientOf(url).send({ to: 'X26ABC2', workflowId: 'WF', chunkRange: '1:2' }, 'bytes', {
      headers: { 'Mex-Subject': 'caf\u00e9' },
    });
    expect(sentIdOf(reply)).toBe('M1');
    expect(reply.rawHeaders).toContain('X-Odd-Case');
    expect(seen[0]?.line).toBe('POST /messageexchange/X26ABC1/outbox');
    expect(seen[0]?.body).toBe('bytes');
    expect(seen[0]?.rawHeaders).toEqual(expect.arrayContaining(['Mex-Chunk-Range', '1:2', 'caf\u00e9', '5']));
    expect(seen[0]?.rawHeaders).not.toContain('Mex-LocalID');
  });

  it('streams a body of unknown length', async () => {
    const { url, seen } = await answering((response) => response.end('{}'));
    const reply = await clientOf(url).sendChunk('M 1', 2, 3, unknownLength());
    expect(jsonOf(reply)).toEqual({});
    expect(seen[0]).toMatchObject({ line: 'POST /messageexchange/X26ABC1/outbox/M%201/2', body: 'one two' });
  });

  it('uses a fresh token for each request', async () => {
    const { url, seen } = await answering((response) => response.end('{"messages":["A"]}'));
    const client = clientOf(url);
    expect(listedIdsOf(await client.list({ maxResults: 10 }))).toEqual(['A']);
    await client.list();
    const tokens = seen.map((each) => each.rawHeaders[each.rawHeaders.indexOf('Authorization') + 1]);
    expect(new Set(tokens).size).toBe(2);
    expect(seen[0]?.line).toBe('GET /messageexchange/X26ABC1/inbox?max_results=10');
  });

  it('rejects when the answer is cut off, so that a caller never takes half an answer for a whole one', async () => {
    const { url } = await answering((response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.destroy());
    });
    await expect(clientOf(url).download('M1')).rejects.toThrow();
  });
});
