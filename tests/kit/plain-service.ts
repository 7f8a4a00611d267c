import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface PlainService {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * The exchange at a plain HTTP port as any MESH service would look: what OpenMESH adds to the protocol, such as
 * idempotency keys, is neither announced nor passed on.
 */
export async function startPlainService(exchangePort: number): Promise<PlainService> {
  const server = createServer((incoming, answer) => {
    const headers = withoutOurs(incoming.headers);
    const { method, url } = incoming;
    const forwarded = request({ host: '127.0.0.1', port: exchangePort, method, path: url, headers, agent: false });
    forwarded.on('response', (response) => {
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

function withoutOurs<Value>(headers: Readonly<Record<string, Value>>): Record<string, Value> {
  const entries = Object.entries(headers).filter(([name]) => !/^(openmesh-.*|idempotency-key|connection)$/.test(name));
  return Object.fromEntries(entries);
}
