import type { IncomingMessage, ServerResponse } from 'node:http';
import { Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from './log.ts';

export interface ShutdownOptions {
  /** `node:http` or `node:https` servers, and plain servers that hand their connections to one of them. */
  readonly listeners: readonly Server[];
  /** Work that has to end besides the requests, such as commands waiting for the ledger. */
  readonly inFlight: () => number;
  /** How long requests in flight may take to end. */
  readonly limitMs: number;
  /**
   * How long an idle connection is kept, so that a request already on its way is answered, with `connection: close`,
   * and not met by a closed door: its sender could not know whether it was taken. 1 second unless given.
   */
  readonly idleGraceMs?: number;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

export interface ShutdownOutcome {
  /** `finished`: all was done; `limit`: the time was up; `forced`: a second request to stop cut it short. */
  readonly ended: 'finished' | 'limit' | 'forced';
  /** Requests that were cut off. */
  readonly unfinished: number;
  readonly elapsedMs: number;
}

export interface Shutdown {
  /** For whoever decides about new work: true from the first call of `stop`. */
  readonly stopping: boolean;
  /** Requests being answered. */
  readonly requests: number;
  /** Connections open, TLS handshakes included. */
  readonly connections: number;
  /** The first call stops gracefully, a second one ends at once; both settle with the one outcome. */
  stop(): Promise<ShutdownOutcome>;
}

const pollMs = 10;
const idleGraceMsDefault = 1000;

/**
 * Watches listeners from now on: make it before they listen, and after everything that handles their connections and
 * requests is attached.
 */
export function createShutdown(options: ShutdownOptions): Shutdown {
  const traffic = watchTraffic(options.listeners);
  const force = new AbortController();
  let outcome: Promise<ShutdownOutcome> | undefined;

  const run = async (): Promise<ShutdownOutcome> => {
    const startedMs = performance.now();
    const elapsedMs = (): number => Math.round(performance.now() - startedMs);
    const graceMs = Math.min(options.idleGraceMs ?? idleGraceMsDefault, options.limitMs);
    options.log.info('stop-began', { count: traffic.responses.size, connections: traffic.sockets.size });
    const closed = Promise.all(options.listeners.map(stopAccepting));
    traffic.closeAfterAnswer();

    const busy = (): boolean => traffic.responses.size > 0 || options.inFlight() > 0;
    const waiting = (): boolean => busy() || (traffic.sockets.size > 0 && elapsedMs() < graceMs);
    while (waiting() && !force.signal.aborted && elapsedMs() < options.limitMs) await pause(pollMs);

    const unfinished = traffic.responses.size;
    const ended = busy() ? (force.signal.aborted ? 'forced' : 'limit') : 'finished';
    for (const socket of traffic.sockets) socket.destroy();
    await closed;
    // The HTTP server's own close, which the grace put off: it has a timer to give back.
    for (const listener of options.listeners) listener.close();
    const result = { ended, unfinished, elapsedMs: elapsedMs() } as const;
    const fields = { outcome: ended, count: unfinished, elapsedMs: result.elapsedMs };
    if (ended === 'finished') options.log.info('stop-ended', fields);
    else options.log.warn('stop-ended', fields);
    return result;
  };

  return {
    get stopping() {
      return outcome !== undefined;
    },
    get requests() {
      return traffic.responses.size;
    },
    get connections() {
      return traffic.sockets.size;
    },
    stop() {
      if (outcome === undefined) outcome = run();
      else force.abort();
      return outcome;
    },
  };
}

interface Traffic {
  readonly sockets: ReadonlySet<Socket>;
  /** Each answer not yet ended, and the connection it goes to. */
  readonly responses: ReadonlyMap<ServerResponse, Socket>;
  /** Each answer from now on, and each in flight whose headers are not sent, ends its connection. */
  closeAfterAnswer(): void;
}

function watchTraffic(listeners: readonly Server[]): Traffic {
  const sockets = new Set<Socket>();
  const responses = new Map<ServerResponse, Socket>();
  let closing = false;
  const onConnection = (socket: Socket): void => {
    if (sockets.has(socket)) return;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    if (closing) response.shouldKeepAlive = false;
    responses.set(response, request.socket);
    response.once('close', () => responses.delete(response));
  };
  for (const listener of listeners) {
    listener.on('connection', onConnection);
    // Before the handler, which may answer at once.
    listener.prependListener('request', onRequest);
    if (listener.listenerCount('checkContinue') > 0) listener.prependListener('checkContinue', onRequest);
  }
  return {
    sockets,
    responses,
    closeAfterAnswer() {
      closing = true;
      for (const [response, socket] of responses) {
        // With the headers gone it is too late to say `connection: close`; the connection ends with the answer anyway.
        if (response.headersSent) response.once('finish', () => socket.end());
        else response.shouldKeepAlive = false;
      }
    },
  };
}

/**
 * Frees the port. The HTTP server's own `close` would also close idle connections at once, which is what the grace
 * is there to avoid, so the plain server's is used.
 */
function stopAccepting(listener: Server): Promise<void> {
  if (!listener.listening) return Promise.resolve();
  return new Promise((resolve) => {
    Server.prototype.close.call(listener, () => resolve());
  });
}
