import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** Answers the nth request, counted from 0, with these bytes; keeps the connection open unless `end` is true. */
export type RawAnswer = (request: { readonly number: number; readonly head: string }) => {
  readonly bytes: string | AsyncIterable<string>;
  readonly end?: boolean;
};

export interface RawService extends AsyncDisposable {
  readonly url: string;
  /** First lines of the requests so far. */
  readonly requests: readonly string[];
}

/** A server of no manners: it writes what it is told, whatever was asked. Reads heads only, so requests have no body. */
export async function startRawService(answer: RawAnswer): Promise<RawService> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    let head = '';
    socket.setEncoding('latin1').on('data', (piece: string) => {
      head += piece;
      for (let end = head.indexOf('\r\n\r\n'); end >= 0; end = head.indexOf('\r\n\r\n')) {
        const request = head.slice(0, end);
        head = head.slice(end + 4);
        requests.push(request.split('\r\n')[0] ?? '');
        void write(socket, answer({ number: requests.length - 1, head: request }));
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

async function write(socket: Socket, { bytes, end }: ReturnType<RawAnswer>): Promise<void> {
  for await (const piece of typeof bytes === 'string' ? [bytes] : bytes) {
    if (socket.destroyed) return;
    if (!socket.write(piece, 'latin1')) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
  }
  if (end === true) socket.end();
}

/** An answer with a body of its announced length. */
export function rawJson(json: string, head = 'HTTP/1.1 200 OK'): string {
  return `${head}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(json)}\r\n\r\n${json}`;
}
