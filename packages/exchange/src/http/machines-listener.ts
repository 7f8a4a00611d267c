import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type ErrorName, wireError } from '@openmesh/protocol';
import type { Config } from '../config/config.ts';
import type { TlsContexts } from './tls/context.ts';

export type MachinesServer = Server | SecureServer;

/**
 * Makes the machines' server with its limits, not yet listening. The response to what cannot even be read as a request
 * is written here, because no handler ever sees it.
 */
export function createMachinesServer(
  contexts: TlsContexts,
  limits: Config['machines'],
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  unreadable: (socket: Socket, reason: ErrorName) => void,
): MachinesServer {
  const server: MachinesServer = contexts.createServer({
    maxHeaderSize: limits.headerBytesMax,
    requestTimeout: limits.requestTimeoutMs,
    headersTimeout: limits.headersTimeoutMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: 5_000,
    insecureHTTPParser: false,
    requireHostHeader: false,
  });
  server.maxConnections = limits.connectionsMax;
  server.on('request', (request: IncomingMessage, response: ServerResponse) => void handle(request, response));
  // node:https reports a failed handshake a second time, as a client error; no HTTP may be written into it.
  const neverSecure = new WeakSet<Socket>();
  server.prependListener('tlsClientError', (_error: Error, socket: Socket) => void neverSecure.add(socket));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (!socket.writable || neverSecure.has(socket) || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const name = unreadableName(error.code);
    unreadable(socket, name);
    socket.end(rawAnswer(name));
  });
  return server;
}

function unreadableName(code: string | undefined): ErrorName {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 'headers-too-large';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'request-timeout';
    default:
      return 'malformed-request';
  }
}

function rawAnswer(name: ErrorName): string {
  const { status, contentType, body } = wireError(name, 1);
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: ${contentType}\r\n`;
  return `${head}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`;
}

/** Resolves to the port, once connections are taken. Rejects when the address is in use or refused. */
export function listen(server: MachinesServer, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 4096 }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
