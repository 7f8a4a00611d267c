import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface PlainService {
  readonly port: number;
  close(): Promise<void>;
}

export interface PlainServiceOptions {
  /** What OpenMESH adds passes after all: then this is the exchange itself behind a bad line. */
  readonly passesExtensions?: boolean;
  /** True for a request that is passed on and whose answer never comes back. */
  readonly losesAnswer?: (method: string, url: string) => boolean;
  /** A lost answer is not cut off: a page, as of a gateway, comes in its place and says that all is well. */
  readonly answersWithPage?: boolean;
}

/**
 * The exchange at a plain HTTP port as any MESH service would look: what OpenMESH adds to the protocol, such as
 * idempotency keys, is neither announced nor passed on.
 */
export async function startPlainService(
  exchangePort: number,
  { passesExtensions = false, losesAnswer = () => false, answersWithPage = false }: PlainServiceOptions = {},
): Promise<PlainService> {
  const withoutOurs = passesExtensions ? withoutConnection : withoutExtensions;
  const server = createServer((incoming, answer) => {
    const headers = withoutOurs(incoming.headers);
    const { method, url } = incoming;
    const forwarded = request({ host: '127.0.0.1', port: exchangePort, method, path: url, headers, agent: false });
    const isLost = losesAnswer(method ?? '', url ?? '');
    forwarded.on('response', (response) => {
      if (isLost) {
        response.resume();
        if (answersWithPage) answer.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
        else answer.destroy();
        return;
      }
      answer.writeHead(response.statusCode ?? 502, withoutOurs(response.headers));
      response.pipe(answer);
    });
    forwarded.on('error', () => answer.destroy());
    incoming.on('error', () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function withoutExtensions<Value>(headers: Readonly<Record<string, Value>>): Record<string, Value> {
  return without(headers, /^(openmesh-.*|idempotency-key|connection)$/);
}

function withoutConnection<Value>(headers: Readonly<Record<string, Value>>): Record<string, Value> {
  return without(headers, /^connection$/);
}

function without<Value>(headers: Readonly<Record<string, Value>>, names: RegExp): Record<string, Value> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.test(name)));
}
