import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface ConnectProxyOptions {
  /** `user:password` it wants; none when absent. */
  readonly credentials?: string;
  /** Answers this status to every CONNECT instead of connecting. */
  readonly refuseWith?: number;
}

export interface ConnectProxy extends AsyncDisposable {
  readonly port: number;
  /** What was asked for, in order: `host:port`. */
  readonly asked: readonly string[];
}

/** An HTTP proxy on loopback that knows CONNECT and nothing else. */
export async function startConnectProxy(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((_request, response) => response.writeHead(405).end());
  server.on('connection', keep);
  server.on('connect', (request, near: Socket) => {
    asked.push(request.url ?? '');
    const wanted = options.credentials;
    const expected = wanted === undefined ? undefined : `Basic ${Buffer.from(wanted).toString('base64')}`;
    const isKnown = expected === undefined || request.headers['proxy-authorization'] === expected;
    const refusal = options.refuseWith ?? (isKnown ? undefined : 407);
    if (refusal !== undefined) {
      near.end(`HTTP/1.1 ${refusal} No\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    const far = connect(Number(port), hostname);
    keep(far);
    far.once('connect', () => {
      near.write('HTTP/1.1 200 Connection established\r\n\r\n');
      near.pipe(far).pipe(near);
    });
    far.once('close', () => near.destroy());
    near.once('close', () => far.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
