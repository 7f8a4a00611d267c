import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { connect as connectSecure, createServer as createSecureServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { createShutdown, type Shutdown, type ShutdownOptions } from './shutdown.ts';
import type { WireRequest } from './wire/connection.ts';
import { WireServer } from './wire/server.ts';
import { writeReply } from './write-reply.ts';

const silent = { info: () => undefined, warn: () => undefined };
const never = 60_000;
// A key both ends know spares the test a certificate.
const psk = randomBytes(32);
const tls = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const;
const sockets: Socket[] = [];
const servers: Server[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

const limits = {
  connectionsMax: 100,
  headerBytesMax: 16_384,
  headersTimeoutMs: never,
  requestTimeoutMs: never,
  keepAliveMs: never,
};

type Handler = (request: WireRequest) => Promise<void>;

async function finished(request: WireRequest): Promise<void> {
  const reply = { kind: 'plain', status: 200, headers: [], body: 'finished' } as const;
  await writeReply(request, reply, { keepAliveSeconds: 60 }).catch(() => 0);
  request.connection.finish(true);
}

interface Started {
  readonly server: Server;
  readonly port: number;
  readonly shutdown: Shutdown;
}

async function start(handle: Handler, options: Partial<ShutdownOptions> = {}, secure = false): Promise<Started> {
  const listener = secure
    ? createSecureServer({ ...tls, pskCallback: () => psk, allowHalfOpen: true })
    : createServer({ allowHalfOpen: true });
  servers.push(listener);
  const server = new WireServer(listener, { limits, handle, unreadable: () => undefined });
  const shutdown = createShutdown({
    server,
    inFlight: () => 0,
    limitMs: never,
    idleGraceMs: 0,
    log: silent,
    ...options,
  });
  return { server: listener, port: await server.listen('127.0.0.1', 0), shutdown };
}

interface Caller {
  readonly socket: Socket;
  readonly ended: Promise<string>;
  send(path: string): void;
  /** Settles when this text has arrived. */
  received(text: string): Promise<void>;
}

async function call(port: number, secure = false): Promise<Caller> {
  const socket = secure
    ? connectSecure({
        ...tls,
        port,
        host: '127.0.0.1',
        pskCallback: () => ({ psk, identity: 'test' }),
        checkServerIdentity: () => undefined,
      })
    : connect(port, '127.0.0.1');
  sockets.push(socket);
  await once(socket, secure ? 'secureConnect' : 'connect');
  const arrivals = new EventEmitter();
  let text = '';
  socket.on('data', (data) => {
    text += data.toString('latin1');
    arrivals.emit('more');
  });
  // A connection that is destroyed may be reset; what arrived before is what counts.
  socket.on('error', () => undefined);
  const ended = once(socket, 'close').then(() => text);
  return {
    socket,
    ended,
    send: (path) => void socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`),
    async received(expected) {
      while (!text.includes(expected)) await once(arrivals, 'more');
    },
  };
}

/** A handler that answers when told to, and says when it was reached. */
function gated(): { handler: Handler; reached: Promise<void>; open: () => void } {
  const reached = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const handler: Handler = async (request) => {
    reached.resolve();
    await gate.promise;
    await finished(request);
  };
  return { handler, reached: reached.promise, open: () => gate.resolve() };
}

describe.each([
  ['HTTP', false],
  ['HTTPS', true],
])('a graceful stop over %s', (_name, secure) => {
  it('finishes the request in flight, says connection: close and ends the connection', async () => {
    const { handler, reached, open } = gated();
    const { port, shutdown } = await start(handler, {}, secure);
    const caller = await call(port, secure);
    caller.send('/');
    await reached;
    const outcome = shutdown.stop();
    expect(shutdown).toMatchObject({ stopping: true, requests: 1 });
    open();
    expect(await outcome).toMatchObject({ ended: 'finished', unfinished: 0 });
    const answer = await caller.ended;
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer.toLowerCase()).toContain('connection: close\r\n');
    expect(answer).toContain('finished');
    expect(shutdown.connections).toBe(0);
  });

  it('accepts no new connection', async () => {
    const { handler, reached, open } = gated();
    const { port, shutdown } = await start(handler, {}, secure);
    const caller = await call(port, secure);
    caller.send('/');
    await reached;
    const outcome = shutdown.stop();
    await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    open();
    await outcome;
  });

  it('destroys what is still in flight at the limit, and counts it', async () => {
    const { handler, reached } = gated();
    const { port, shutdown } = await start(handler, { limitMs: 30 }, secure);
    const caller = await call(port, secure);
    caller.send('/');
    await reached;
    expect(await shutdown.stop()).toMatchObject({ ended: 'limit', unfinished: 1 });
    expect(await caller.ended).toBe('');
  });

  it('ends at once when it is asked a second time, with one outcome for both', async () => {
    const { handler, reached } = gated();
    const { port, shutdown } = await start(handler, {}, secure);
    const caller = await call(port, secure);
    caller.send('/');
    await reached;
    const first = shutdown.stop();
    expect(await shutdown.stop()).toBe(await first);
    expect(await first).toMatchObject({ ended: 'forced', unfinished: 1 });
    await caller.ended;
  });

  it('ends connections that are idle or whose handshake never finished', async () => {
    const { server, port, shutdown } = await start(finished, {}, secure);
    const idle = await call(port, secure);
    idle.send('/');
    await idle.received('finished');
    const connected = once(server, 'connection');
    const silentSocket = connect(port, '127.0.0.1');
    sockets.push(silentSocket);
    silentSocket.on('error', () => undefined);
    const silentEnded = once(silentSocket, 'close');
    await connected;
    expect(shutdown.connections).toBe(2);
    expect(await shutdown.stop()).toMatchObject({ ended: 'finished' });
    await Promise.all([idle.ended, silentEnded]);
  });

  it('answers a request that was on its way on an idle connection, within the grace', async () => {
    const { port, shutdown } = await start(finished, { idleGraceMs: never }, secure);
    const caller = await call(port, secure);
    caller.send('/first');
    await caller.received('finished');
    const outcome = shutdown.stop();
    caller.send('/second');
    const answers = await caller.ended;
    expect(answers.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    expect(answers.toLowerCase().match(/connection: (close|keep-alive)/g)).toEqual([
      'connection: keep-alive',
      'connection: close',
    ]);
    expect(await outcome).toMatchObject({ ended: 'finished' });
  });

  it('ends a connection after an answer whose headers had already gone', async () => {
    const begun = Promise.withResolvers<() => void>();
    const gate = Promise.withResolvers<void>();
    async function* pieces(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('fini');
      begun.resolve(() => gate.resolve());
      await gate.promise;
      yield Buffer.from('shed');
    }
    const { port, shutdown } = await start(
      async (request) => {
        const blocks = { kind: 'blocks', status: 200, headers: [], lengthBytes: 8 } as const;
        const each = (async function* () {
          for await (const bytes of pieces()) yield { bytes, release: () => undefined };
        })();
        await writeReply(request, { ...blocks, blocks: each }, { keepAliveSeconds: 60 });
        request.connection.finish(true);
      },
      { idleGraceMs: never },
      secure,
    );
    const caller = await call(port, secure);
    caller.send('/');
    await caller.received('fini');
    const outcome = shutdown.stop();
    (await begun.promise)();
    expect(await caller.ended).toContain('finished');
    expect(await outcome).toMatchObject({ ended: 'finished', unfinished: 0 });
  });
});

describe('a stop besides the requests', () => {
  it('waits for other work in flight', async () => {
    let commands = 1;
    const { shutdown } = await start(finished, { inFlight: () => commands });
    const outcome = shutdown.stop();
    let ended = false;
    const watched = outcome.finally(() => {
      ended = true;
    });
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    expect(ended).toBe(false);
    commands = 0;
    expect(await watched).toMatchObject({ ended: 'finished' });
  });
});
