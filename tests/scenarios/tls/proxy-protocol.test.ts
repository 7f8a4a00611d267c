import { connect, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { clientAddressOf } from '@openmesh/exchange/http/client-address.ts';
import {
  acceptProxyProtocol,
  type ProxyProtocolOptions,
  type ProxyRefusalKind,
} from '@openmesh/exchange/http/proxy-protocol.ts';
import { describe, expect, it } from 'vitest';
import { testCertificates } from '../../kit/certificates.ts';
import { guardLeaks } from '../../kit/leak-guard.ts';
import { startTcpProxy } from '../../kit/tcp-proxy.ts';
import { call } from './caller.ts';
import { type GuardedServer, type GuardedServerOptions, startGuardedServer } from './guarded-server.ts';

guardLeaks();

const { authority, clients } = await testCertificates();
const loopback = [{ address: '127.0.0.0', prefixLength: 8, family: 'ipv4' }] as const;
const elsewhere = [{ address: '10.0.0.0', prefixLength: 8, family: 'ipv4' }] as const;
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** A version 2 header for 203.0.113.9:40000 → 127.0.0.1:443, with extension bytes after the addresses. */
function header(extension = Buffer.alloc(0)): Buffer {
  const addresses = Buffer.from([203, 0, 113, 9, 127, 0, 0, 1, 0x9c, 0x40, 0x01, 0xbb]);
  const fixed = Buffer.from([0x21, 0x11, 0, 0]);
  fixed.writeUInt16BE(addresses.length + extension.length, 2);
  return Buffer.concat([signature, fixed, addresses, extension]);
}

interface Listening extends AsyncDisposable {
  readonly guarded: GuardedServer;
  /** Addresses of the requests served. */
  readonly addresses: (string | undefined)[];
  /** Resolves with the next refusal. */
  readonly refused: Promise<{ kind: ProxyRefusalKind; peer: string }>;
}

async function listen(
  proxies: Partial<ProxyProtocolOptions> = {},
  more: Partial<GuardedServerOptions> = {},
): Promise<Listening> {
  let tell: ((refusal: { kind: ProxyRefusalKind; peer: string }) => void) | undefined;
  const refused = new Promise<{ kind: ProxyRefusalKind; peer: string }>((resolve) => {
    tell = resolve;
  });
  const guarded = await startGuardedServer({
    ...more,
    prepare: (server) => {
      acceptProxyProtocol(server, { trusted: loopback, onRefused: (refusal) => tell?.(refusal), ...proxies });
    },
  });
  return {
    guarded,
    get addresses() {
      return guarded.served.map((socket) => clientAddressOf(socket)?.address);
    },
    refused,
    [Symbol.asyncDispose]: () => guarded[Symbol.asyncDispose](),
  };
}

/** Opens a bare connection, sends bytes and answers when the server has ended it. */
async function poke(port: number, bytes?: Buffer): Promise<void> {
  const socket: Socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  if (bytes !== undefined) socket.write(bytes);
  await new Promise((resolve) => socket.once('close', resolve));
}

describe('the PROXY protocol in front of mutual TLS', () => {
  it('gives the address of the caller, whose certificate is checked as ever', async () => {
    await using listening = await listen();
    const target = { host: '127.0.0.1', port: listening.guarded.port };
    await using balancer = await startTcpProxy({ target, preface: header() });
    expect(await call({ port: balancer.port, identity: clients.x26 })).toMatchObject({ status: 200 });
    expect(await call({ port: balancer.port, identity: clients.otherOrganisation })).toMatchObject({ status: 403 });
    expect(listening.addresses).toEqual(['203.0.113.9', '203.0.113.9']);
  });

  it('works when the header comes in single bytes and the first TLS bytes cling to it', async () => {
    await using listening = await listen();
    const bytes = header(Buffer.alloc(200));
    const raw = connect(listening.guarded.port, '127.0.0.1');
    raw.setNoDelay(true);
    for (const byte of bytes.subarray(0, -1)) await new Promise((resolve) => raw.write(Buffer.of(byte), resolve));
    raw.write(bytes.subarray(-1));
    const secure = connectTls({ socket: raw, ca: authority, servername: 'localhost', ...pick(clients.x26) });
    secure.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    let text = '';
    for await (const piece of secure) text += String(piece);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(listening.addresses).toEqual(['203.0.113.9']);
  });

  it('works in front of plain HTTP too', async () => {
    await using listening = await listen({}, { tls: { mode: 'off' } });
    const raw = connect(listening.guarded.port, '127.0.0.1');
    raw.write(Buffer.concat([header(), Buffer.from('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')]));
    let text = '';
    for await (const piece of raw) text += String(piece);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(listening.addresses).toEqual(['203.0.113.9']);
  });

  it('takes the peer itself for the caller when the proxy speaks for itself', async () => {
    await using listening = await listen();
    const local = Buffer.concat([signature, Buffer.from([0x20, 0x00, 0, 0])]);
    const target = { host: '127.0.0.1', port: listening.guarded.port };
    await using balancer = await startTcpProxy({ target, preface: local });
    expect(await call({ port: balancer.port, identity: clients.x26 })).toMatchObject({ status: 200 });
    expect(listening.addresses).toEqual(['127.0.0.1']);
  });

  it('ends the connection of a peer that is not a trusted proxy', async () => {
    await using listening = await listen({ trusted: elsewhere });
    await poke(listening.guarded.port, header());
    expect(await listening.refused).toEqual({ kind: 'untrusted-peer', peer: '127.0.0.1' });
  });

  it('serves a peer that is not trusted as the caller itself where told to, and believes no header of it', async () => {
    await using listening = await listen({ trusted: elsewhere, untrusted: 'direct' });
    const { port } = listening.guarded;
    expect(await call({ port, identity: clients.x26 })).toMatchObject({ status: 200 });
    await using liar = await startTcpProxy({ target: { host: '127.0.0.1', port }, preface: header() });
    expect(await call({ port: liar.port, identity: clients.x26 })).toHaveProperty('error');
    expect(listening.addresses).toEqual(['127.0.0.1']);
  });

  it.each([
    ['garbage', Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n')],
    ['garbage', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00])],
    ['version', Buffer.from('PROXY TCP4 203.0.113.9 127.0.0.1 40000 443\r\n')],
    ['version', Buffer.concat([signature, Buffer.from([0x31, 0x11, 0, 12]), Buffer.alloc(12)])],
    ['oversized', Buffer.concat([signature, Buffer.from([0x21, 0x11, 0xff, 0xff])])],
    ['inconsistent', Buffer.concat([signature, Buffer.from([0x21, 0x11, 0, 4]), Buffer.alloc(4)])],
    ['inconsistent', Buffer.concat([signature, Buffer.from([0x21, 0x12, 0, 12]), Buffer.alloc(12)])],
  ] as const)('ends a connection whose header is %s', async (kind, bytes) => {
    await using listening = await listen();
    await poke(listening.guarded.port, bytes);
    expect(await listening.refused).toEqual({ kind, peer: '127.0.0.1' });
    expect(listening.addresses).toEqual([]);
  });

  it('ends a connection whose header does not come in time', async () => {
    await using listening = await listen({ headerTimeoutMs: 30 });
    await poke(listening.guarded.port, header().subarray(0, 20));
    expect((await listening.refused).kind).toBe('slow');
  });

  it('counts a connection that ends within its header as ended', async () => {
    await using listening = await listen();
    const raw = connect(listening.guarded.port, '127.0.0.1');
    raw.resume();
    raw.end(header().subarray(0, 5));
    expect((await listening.refused).kind).toBe('ended');
  });

  it('takes no notice of a load balancer that only looks whether the port is open', async () => {
    await using listening = await listen();
    const looking = connect(listening.guarded.port, '127.0.0.1').resume();
    const gone = new Promise((resolve) => looking.once('close', resolve));
    looking.end();
    await gone;
    await poke(listening.guarded.port, Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]));
    expect((await listening.refused).kind).toBe('garbage');
  });

  it('holds no more waiting connections than its limit', async () => {
    await using listening = await listen({ waitingMax: 1 });
    const first = connect(listening.guarded.port, '127.0.0.1');
    await new Promise((resolve) => listening.guarded.server.once('connection', resolve));
    await poke(listening.guarded.port);
    expect((await listening.refused).kind).toBe('crowded');
    first.destroy();
  });

  it('reads version 1 where told to', async () => {
    await using listening = await listen({ acceptVersion1: true });
    const target = { host: '127.0.0.1', port: listening.guarded.port };
    const preface = Buffer.from('PROXY TCP6 2001:db8::7 ::1 40000 443\r\n');
    await using balancer = await startTcpProxy({ target, preface });
    expect(await call({ port: balancer.port, identity: clients.x26 })).toMatchObject({ status: 200 });
    expect(listening.addresses).toEqual(['2001:db8::7']);
  });

  it('leaves the time limit on slow request headers in force', async () => {
    await using listening = await listen({}, { limits: { headersTimeoutMs: 40, requestTimeoutMs: 40 } });
    const target = { host: '127.0.0.1', port: listening.guarded.port };
    await using balancer = await startTcpProxy({ target, preface: header() });
    const secure = connectTls({ port: balancer.port, ca: authority, servername: 'localhost', ...pick(clients.x26) });
    secure.write('GET / HTTP/1.1\r\nx-slow:');
    let text = '';
    for await (const piece of secure) text += String(piece);
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('is told apart for two callers behind one proxy at the same time', async () => {
    await using listening = await listen();
    const seen: (string | undefined)[] = [];
    listening.guarded.server.on('secureConnection', (socket) => {
      if (socket instanceof TLSSocket) seen.push(clientAddressOf(socket)?.address);
    });
    const target = { host: '127.0.0.1', port: listening.guarded.port };
    const other = header();
    other[16] = 198;
    await using one = await startTcpProxy({ target, preface: header() });
    await using two = await startTcpProxy({ target, preface: other });
    await Promise.all([one, two].map(({ port }) => call({ port, identity: clients.x26 })));
    expect(new Set(seen)).toEqual(new Set(['198.0.113.9', '203.0.113.9']));
  });
});

function pick({ cert, key }: { readonly cert: string; readonly key: string }): { cert: string; key: string } {
  return { cert, key };
}
