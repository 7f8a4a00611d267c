import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import { smallBodyPattern } from '../payload.ts';
import type { Answer, Answers } from './operations.ts';

/**
 * The ceiling: a bare `node:https` server with mutual TLS, as a process of its own. It reads each request's body and
 * answers with the status, header bytes and body length that a real server gave; it checks nothing and stores nothing.
 */
export interface EchoOrder {
  readonly serverCert: string;
  readonly serverKey: string;
  readonly ca: string;
  readonly answers: Answers;
}

const keepAliveTimeoutMs = 75_000;

function serve(order: EchoOrder): void {
  const pattern = smallBodyPattern();
  const { byOperation } = order.answers;
  const [send, list, acknowledge] = [byOperation.send, byOperation.list, byOperation.acknowledge].map(
    (answer) => [answer, headerList(answer)] as const,
  ) as [Prepared, Prepared, Prepared];
  const downloadHeaders = headerList(byOperation.download);
  const lengthAt = downloadHeaders.indexOf('content-length') + 1;
  // The one thing remembered, and only for a download of the right length: the size of a connection's last body.
  const bodyBytes = new WeakMap<Socket, number>();

  const download = (request: IncomingMessage, response: ServerResponse): void => {
    const bytes = bodyBytes.get(request.socket) ?? 0;
    downloadHeaders[lengthAt] = String(bytes);
    response.writeHead(byOperation.download.status, downloadHeaders);
    response.end(pattern.subarray(0, bytes));
  };

  const server = createServer(
    { cert: order.serverCert, key: order.serverKey, ca: order.ca, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      if (request.method === 'GET') {
        if (request.url?.endsWith('/inbox') === true) reply(response, list);
        else download(request, response);
        return;
      }
      let bytes = 0;
      request.on('data', (piece: Buffer) => {
        bytes += piece.length;
      });
      request.on('end', () => {
        if (request.method === 'POST') bodyBytes.set(request.socket, bytes);
        reply(response, request.method === 'POST' ? send : acknowledge);
      });
    },
  );
  server.keepAliveTimeout = keepAliveTimeoutMs;
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as { port: number }).port }));
}

type Prepared = readonly [Answer, string[]];

function reply(response: ServerResponse, [answer, headers]: Prepared): void {
  response.writeHead(answer.status, headers);
  response.end(answer.body, 'latin1');
}

/** Names and values in turn, as `writeHead` takes them without building an object. */
function headerList(answer: Answer): string[] {
  return answer.head
    .split('\r\n')
    .slice(1)
    .flatMap((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
}

process.once('message', (order) => serve(order as EchoOrder));
process.once('disconnect', () => process.exit(0));
