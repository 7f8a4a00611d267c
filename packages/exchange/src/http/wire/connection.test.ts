import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Connection, type ConnectionOwner, type WireRequest } from './connection.ts';

const limits = { headerBytesMax: 16_384, headersTimeoutMs: 60_000, requestTimeoutMs: 600_000, keepAliveMs: 75_000 };
const minuteMs = 60_000;
/** More than the system takes off our hands at once for a caller that does not read. */
const answerBytes = 64 * 1024 * 1024;

async function lengthOf(caller: Socket, enough = Number.POSITIVE_INFINITY): Promise<number> {
  let length = 0;
  for await (const bytes of caller.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += bytes.length;
    if (length >= enough) break;
  }
  return length;
}

describe('a connection whose caller is slow to fetch its answer', () => {
  const server = createServer({ allowHalfOpen: true });
  const sockets: Socket[] = [];
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });
  afterAll(async () => {
    server.close();
    await once(server, 'close');
  });

  /** A caller that has asked and reads nothing yet, and its connection with the answer written. */
  async function ask(keepAlive: boolean): Promise<{ caller: Socket; connection: Connection }> {
    const served = new Promise<Connection>((resolve) => {
      server.once('connection', (socket) => {
        const owner: ConnectionOwner = {
          limits,
          stopping: false,
          began: () => undefined,
          ended: () => undefined,
          unreadable: () => undefined,
          closed: () => undefined,
          handle: ({ connection }: WireRequest) => {
            connection.begin(Buffer.alloc(answerBytes), keepAlive);
            connection.finish(true);
            resolve(connection);
            return Promise.resolve();
          },
        };
        sockets.push(new Connection(socket, owner).socket);
      });
    });
    const caller = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
    sockets.push(caller);
    caller.write('GET / HTTP/1.1\r\n\r\n');
    return { caller, connection: await served };
  }

  it.each([
    ['ends with it', false],
    ['has stood idle since', true],
  ])('gives it the whole answer when the connection %s', async (_how, keepAlive) => {
    const { caller, connection } = await ask(keepAlive);
    connection.checkTime(performance.now() + 2 * minuteMs);
    connection.checkTime(performance.now() + 3 * minuteMs);
    expect(await lengthOf(caller, answerBytes)).toBe(answerBytes);
  });

  it('cuts off a caller that fetches nothing for as long as a request may take', async () => {
    const { caller, connection } = await ask(false);
    connection.checkTime(performance.now() + limits.requestTimeoutMs + minuteMs);
    await expect(lengthOf(caller)).resolves.toBeLessThan(answerBytes);
  });

  it('ends a connection that its caller leaves open after it has fetched the last answer', async () => {
    const { caller, connection } = await ask(false);
    expect(await lengthOf(caller)).toBe(answerBytes);
    connection.checkTime(performance.now() + minuteMs);
    expect(connection.socket.destroyed).toBe(true);
  });
});
