import { request } from 'node:http';
import type { Socket } from 'node:net';
import type { ProxyAddress } from './address.ts';

/** The proxy answered, and not with a 2xx. */
export class ProxyRefusal extends Error {
  override readonly name = 'ProxyRefusal';
  readonly status: number;

  constructor(status: number) {
    super(`the proxy answered ${status}`);
    this.status = status;
  }
}

export interface TunnelRequest {
  readonly proxy: ProxyAddress;
  readonly hostname: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly headerBytesMax: number;
}

/** Asks the proxy for a connection to `hostname:port`. Rejects with a ProxyRefusal or with the error of the connection. */
export function openTunnel({ proxy, hostname, port, timeoutMs, headerBytesMax }: TunnelRequest): Promise<Socket> {
  const host = `${hostname.includes(':') ? `[${hostname}]` : hostname}:${port}`;
  return new Promise((resolve, reject) => {
    const asking = request({
      host: proxy.hostname,
      port: proxy.port,
      method: 'CONNECT',
      path: host,
      headers: {
        host,
        ...(proxy.authorization === undefined ? {} : { 'proxy-authorization': proxy.authorization }),
      },
      agent: false,
      maxHeaderSize: headerBytesMax,
      signal: AbortSignal.timeout(timeoutMs),
    });
    asking.once('connect', (response, socket) => {
      const { statusCode = 0 } = response;
      if (statusCode >= 200 && statusCode < 300) return resolve(socket);
      socket.destroy();
      reject(new ProxyRefusal(statusCode));
    });
    asking.once('response', (response) => {
      response.destroy();
      reject(new ProxyRefusal(response.statusCode ?? 0));
    });
    asking.once('error', reject);
    asking.end();
  });
}
