import { type Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { clientError } from '../errors/client-errors.ts';
import type { OperationName } from '../errors/mesh-error.ts';
import type { Limits } from '../limits.ts';
import type { ServiceAddress } from './address.ts';
import { type Answer, readHeaders } from './answer.ts';
import { connectionError } from './connection-errors.ts';

/** Bytes to send, made anew for each attempt. */
export interface RequestBody {
  /** Undefined when it is not known before the last byte was made. */
  readonly length: number | undefined;
  /** When a block is asked for, no block but the one before it is still in use: two buffers are enough to make them in. */
  open(signal: AbortSignal): AsyncIterable<Uint8Array>;
}

export interface WireRequest {
  readonly operation: OperationName;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  /** Below the service's prefix, with its query. */
  readonly path: string;
  /** Text is Latin-1. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: RequestBody | undefined;
  /** The whole request, from asking for a connection to the last byte of the answer. */
  readonly totalMs: number;
  readonly signal: AbortSignal | undefined;
}

export interface Transport {
  /** Resolves when the headers of the answer are there. Rejects with a `MeshError`; never follows a redirect. */
  exchange(request: WireRequest): Promise<Answer>;
  /** The connections of the next requests; those under way end on the ones they have. */
  useAgent(agent: Agent): void;
  close(): void;
}

export function makeTransport(address: ServiceAddress, firstAgent: Agent, limits: Limits): Transport {
  let isClosed = false;
  let agent = firstAgent;
  let former: readonly Agent[] = [];
  return {
    exchange(request) {
      if (isClosed) throw clientError('aborted', request.operation, { detail: 'the client was closed' });
      return new Exchange(address, agent, limits, request).run();
    },
    useAgent(next) {
      for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
      former = [...former, agent].filter(({ sockets }) => Object.keys(sockets).length > 0);
      agent = next;
    },
    close() {
      isClosed = true;
      for (const each of [...former, agent]) each.destroy();
    },
  };
}

/** One request on one connection, from its first byte to the end of its answer. */
class Exchange {
  readonly #request: WireRequest;
  readonly #outgoing: ClientRequest;
  readonly #ended = new AbortController();
  #mayHaveArrived = false;
  #endedBy: 'signal' | 'timeout' | undefined;
  #payloadError: unknown;
  #timers: NodeJS.Timeout[] = [];

  constructor(address: ServiceAddress, agent: Agent, limits: Limits, request: WireRequest) {
    if (request.signal?.aborted === true) {
      throw clientError('aborted', request.operation, { cause: request.signal.reason });
    }
    this.#request = request;
    const { body } = request;
    const framing =
      body === undefined
        ? request.method === 'POST' || request.method === 'PUT'
          ? { 'content-length': '0' }
          : {}
        : body.length === undefined
          ? { 'transfer-encoding': 'chunked' }
          : { 'content-length': String(body.length) };
    const send = address.isSecure ? httpsRequest : httpRequest;
    this.#outgoing = send({
      agent,
      host: address.hostname,
      port: address.port,
      method: request.method,
      path: address.pathPrefix + request.path,
      headers: { ...request.headers, ...framing },
      maxHeaderSize: limits.headerBytes,
      timeout: limits.idleMs,
    });
    this.#watchConnection(limits.connectMs);
    this.#outgoing.on('timeout', () => this.#end('timeout'));
    this.#after(request.totalMs, () => this.#end('timeout'));
    request.signal?.addEventListener('abort', this.#onAbort);
  }

  async run(): Promise<Answer> {
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      this.#outgoing.once('response', resolve);
      this.#outgoing.once('error', reject);
    });
    // An answer may come before the last byte was sent, and then it is the answer that counts.
    const sent = this.#sendBody();
    sent.catch(() => undefined);
    try {
      const response = await answered;
      return this.#toAnswer(response);
    } catch (error) {
      this.#finish();
      throw this.#explain(error);
    }
  }

  #toAnswer(response: IncomingMessage): Answer {
    const finish = (): void => this.#finish();
    response.once('close', finish);
    return {
      operation: this.#request.operation,
      status: response.statusCode ?? 0,
      headers: readHeaders(response),
      body: response,
      cancel: () => {
        finish();
        if (!response.readableEnded) response.destroy();
        // A request whose answer came early is still being written; its connection is of no further use.
        if (!this.#outgoing.writableFinished) this.#outgoing.destroy();
      },
      explain: (error) => this.#explain(error),
    };
  }

  async #sendBody(): Promise<void> {
    const { body } = this.#request;
    const outgoing = this.#outgoing;
    try {
      if (body !== undefined) {
        // One block is on its way while the next is made; that there are never more lets their buffers be used again.
        let before = Promise.resolve();
        for await (const block of body.open(this.#ended.signal)) {
          await before;
          if (outgoing.destroyed || this.#ended.signal.aborted) return;
          before = this.#write(block);
        }
      }
      outgoing.end();
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      this.#payloadError = error;
      outgoing.destroy(error instanceof Error ? error : new Error('the payload could not be read'));
    }
  }

  /** Resolves when the connection has done with the block, or the request has ended. */
  #write(block: Uint8Array): Promise<void> {
    const { signal } = this.#ended;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      signal.addEventListener('abort', done);
      this.#outgoing.write(block, done);
    });
  }

  #watchConnection(connectMs: number): void {
    this.#outgoing.once('socket', (socket) => {
      const isReady = !socket.connecting && (!isTls(socket) || socket.authorized || socket.getProtocol() !== null);
      if (this.#outgoing.reusedSocket || isReady) {
        this.#mayHaveArrived = true;
        return;
      }
      socket.once(isTls(socket) ? 'secureConnect' : 'connect', () => {
        this.#mayHaveArrived = true;
      });
    });
    this.#after(connectMs, () => {
      if (!this.#mayHaveArrived) this.#end('timeout');
    });
  }

  #after(ms: number, then: () => void): void {
    this.#timers.push(setTimeout(then, ms));
  }

  readonly #onAbort = (): void => this.#end('signal');

  #end(by: 'signal' | 'timeout'): void {
    this.#endedBy ??= by;
    this.#outgoing.destroy(new Error(`ended by ${by}`));
    this.#finish();
  }

  #finish(): void {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
    // Errors that come after the end have nobody left to tell.
    this.#outgoing.on('error', () => undefined);
    this.#ended.abort();
  }

  #explain(error: unknown): Error {
    if (this.#payloadError !== undefined && this.#payloadError instanceof Error) return this.#payloadError;
    return connectionError(error, {
      operation: this.#request.operation,
      mayHaveArrived: this.#mayHaveArrived,
      endedBy: this.#endedBy,
      abortReason: this.#request.signal?.reason,
    });
  }
}

function isTls(socket: object): socket is TLSSocket {
  return 'getProtocol' in socket;
}
