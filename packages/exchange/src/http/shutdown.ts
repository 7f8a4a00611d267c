import type { Server, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from './log.ts';
import type { WireServer } from './wire/server.ts';

export interface ShutdownOptions {
  readonly server: WireServer;
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
 * Watches a server from now on: make it before it listens.
 */
export function createShutdown(options: ShutdownOptions): Shutdown {
  const { server } = options;
  const sockets = watchSockets(server.listener);
  const force = new AbortController();
  let outcome: Promise<ShutdownOutcome> | undefined;

  const run = async (): Promise<ShutdownOutcome> => {
    const startedMs = performance.now();
    const elapsedMs = (): number => Math.round(performance.now() - startedMs);
    const graceMs = Math.min(options.idleGraceMs ?? idleGraceMsDefault, options.limitMs);
    options.log.info('stop-began', { count: server.requests, connections: sockets.size });
    const closed = stopAccepting(server.listener);
    server.stopAfterAnswers();

    const busy = (): boolean => server.requests > 0 || options.inFlight() > 0;
    const waiting = (): boolean => busy() || (sockets.size > 0 && elapsedMs() < graceMs);
    while (waiting() && !force.signal.aborted && elapsedMs() < options.limitMs) await pause(pollMs);

    const unfinished = server.requests;
    const ended = busy() ? (force.signal.aborted ? 'forced' : 'limit') : 'finished';
    for (const socket of sockets) socket.destroy();
    await closed;
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
      return server.requests;
    },
    get connections() {
      return sockets.size;
    },
    stop() {
      if (outcome === undefined) outcome = run();
      else force.abort();
      return outcome;
    },
  };
}

function watchSockets(listener: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  listener.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

/** Frees the port; resolves when the last connection is gone too. */
function stopAccepting(listener: Server): Promise<void> {
  if (!listener.listening) return Promise.resolve();
  return new Promise((resolve) => {
    listener.close(() => resolve());
  });
}
