import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guardLeaks } from './leak-guard.ts';
import { type ConnectionFault, startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

guardLeaks();

let server: Server;
let received: Buffer[];
let serverSockets: Socket[];
const proxies: TcpProxy[] = [];

beforeEach(async () => {
  received = [];
  serverSockets = [];
  server = createServer((socket) => {
    serverSockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      received.push(bytes);
      socket.write(bytes);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy.close();
  for (const socket of serverSockets) socket.destroy();
  server.close();
});

async function startProxy(...faults: ConnectionFault[]): Promise<TcpProxy> {
  const { port } = server.address() as AddressInfo;
  const proxy = await startTcpProxy({
    target: { host: '127.0.0.1', port },
    faults: (nth) => (nth === 0 ? faults : []),
  });
  proxies.push(proxy);
  return proxy;
}

interface Ending {
  readonly text: string;
  readonly error: string | undefined;
}

/** Sends a text through the proxy and answers what came back and how the connection ended. */
async function send(proxy: TcpProxy, text: string, endAfter = text.length): Promise<Ending> {
  const socket = connect(proxy.port, '127.0.0.1');
  let answer = '';
  let error: string | undefined;
  socket.on('data', (bytes: Buffer) => {
    answer += bytes.toString('latin1');
    if (answer.length >= endAfter) socket.end();
  });
  socket.on('error', (cause: NodeJS.ErrnoException) => {
    error = cause.code;
  });
  socket.write(text);
  // `events.once` would reject on the very error this waits out.
  await new Promise((resolve) => socket.once('close', resolve));
  return { text: answer, error };
}

describe('the TCP proxy of the kit', () => {
  it('passes bytes both ways untouched and counts them when no fault is set', async () => {
    const proxy = await startProxy();
    const text = 'x'.repeat(300_000);
    expect(await send(proxy, text)).toEqual({ text, error: undefined });
    expect(proxy.bytesSeen('to-server')).toBe(text.length);
    expect(proxy.bytesSeen('to-client')).toBe(text.length);
  });

  it('lets exactly the bytes before a cut through to the server', async () => {
    const proxy = await startProxy({ kind: 'cut', direction: 'to-server', afterBytes: 4, how: 'end' });
    expect(await send(proxy, 'abcdefgh')).toEqual({ text: '', error: undefined });
    expect(Buffer.concat(received).toString()).toBe('abcd');
  });

  it('resets the connection when told to, after the bytes before the cut', async () => {
    const proxy = await startProxy({ kind: 'cut', direction: 'to-client', afterBytes: 3, how: 'reset' });
    const { error } = await send(proxy, 'abcdefgh');
    expect(error).toBe('ECONNRESET');
    expect(Buffer.concat(received).toString()).toBe('abcdefgh');
  });

  it('leaves the sender of a half-open connection believing it is open', async () => {
    const proxy = await startProxy({ kind: 'half-open', direction: 'to-server', afterBytes: 2 });
    const socket = connect(proxy.port, '127.0.0.1');
    const ends: string[] = [];
    for (const event of ['end', 'close', 'error'] as const) socket.on(event, () => ends.push(event));
    const accepted = once(server, 'connection');
    socket.write('abcd');
    const [serverSide] = (await accepted) as [Socket];
    await once(serverSide, 'close');
    await new Promise((resolve) => socket.write('into the void', resolve));
    expect(Buffer.concat(received).toString()).toBe('ab');
    expect(ends).toEqual([]);
    socket.destroy();
  });

  it('changes the one byte it was told to', async () => {
    const proxy = await startProxy({ kind: 'corrupt', direction: 'to-server', atByte: 2, mask: 0x20 });
    expect((await send(proxy, 'abcd')).text).toBe('abCd');
  });

  it('delivers everything in order when it delays', async () => {
    const proxy = await startProxy({ kind: 'delay', direction: 'to-client', delayMs: 1 });
    expect((await send(proxy, '0123456789')).text).toBe('0123456789');
  });

  it('does to the first connection what it was told and leaves the next alone', async () => {
    const proxy = await startProxy({ kind: 'cut', direction: 'to-server', afterBytes: 0, how: 'reset' });
    expect((await send(proxy, 'first')).text).toBe('');
    expect((await send(proxy, 'second')).text).toBe('second');
    expect(proxy.accepted).toBe(2);
  });

  it('sends the preface before the bytes of the client', async () => {
    const { port } = server.address() as AddressInfo;
    const proxy = await startTcpProxy({ target: { host: '127.0.0.1', port }, preface: Buffer.from('PROXY!') });
    proxies.push(proxy);
    expect((await send(proxy, 'abc', 9)).text).toBe('PROXY!abc');
  });
});
