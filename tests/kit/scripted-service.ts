import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Scripted {
  readonly status: number;
  /** Text goes out as it is, such as a page. */
  readonly json: object | string;
}

/** Answers a send by the reference of its pair, whenever it likes; `nth` counts sends from 1. */
export type SendScript = (localId: string, nth: number) => Scripted | Promise<Scripted>;

export interface ScriptedService extends AsyncDisposable {
  readonly url: string;
  /** References of the sends that arrived whole, in order. */
  readonly sends: readonly string[];
}

export interface ScriptedServiceOptions {
  readonly onSend?: SendScript;
  /** A handshake is answered when this resolves. */
  readonly onHandshake?: () => Promise<void>;
  /** Of a listing of the inbox, which is empty. */
  readonly inboxStatus?: number;
}

/** The answer to a send that is taken, with an id made of its number. */
export function taken(nth: number): Scripted {
  return { status: 202, json: { message_id: `20261127000000${String(nth).padStart(6, '0')}_ABCDEF` } };
}

/**
 * A service without idempotency keys that delivers nothing, knows no reference, and answers sends as a test says: what a
 * client may do while one is under way is the test's to see.
 */
export async function startScriptedService({
  onSend = (_localId, nth) => taken(nth),
  onHandshake = () => Promise.resolve(),
  inboxStatus = 200,
}: ScriptedServiceOptions = {}): Promise<ScriptedService> {
  const sends: string[] = [];
  const answerTo = async ({ method, url = '', headers }: IncomingMessage): Promise<Scripted> => {
    if (method === 'POST' && url.endsWith('/outbox')) {
      const localId = String(headers['mex-localid']);
      return await onSend(localId, sends.push(localId));
    }
    if (url.includes('/outbox/tracking')) return { status: 404, json: {} };
    if (url.includes('/inbox')) return { status: inboxStatus, json: { messages: [] } };
    if (method === 'POST') await onHandshake();
    return { status: 200, json: {} };
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { status, json } = await answerTo(request);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof json === 'string' ? json : JSON.stringify(json));
  };
  const server = createServer((request, response) => {
    request.on('error', () => undefined);
    request.resume().on('end', () => void answer(request, response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sends,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
