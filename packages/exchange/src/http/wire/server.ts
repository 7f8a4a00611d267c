import type { AddressInfo, Server, Socket } from 'node:net';
import { Server as SecureServer } from 'node:tls';
import { Connection, type ConnectionLimits, type ConnectionOwner, type WireRequest } from './connection.ts';
import type { UnreadableReason } from './unreadable.ts';

export interface WireServerParts {
  readonly limits: ConnectionLimits & { readonly connectionsMax: number };
  /** Serves one request to its last byte; never rejects. */
  readonly handle: (request: WireRequest) => Promise<void>;
  /** Told of what could not be read as a request; it is answered already. */
  readonly unreadable: (socket: Socket, reason: UnreadableReason) => void;
}

function destroy(socket: Socket): void {
  socket.destroy();
}

/** How often the connections are looked over for what takes too long, in ms: a quarter of the shortest limit, within these. */
const checkEveryMsMin = 100;
const checkEveryMsMax = 5_000;
/** Connections that wait for the process to take them. */
const backlog = 4096;

/**
 * HTTP/1.1 over a listener of TCP or TLS connections. Only what the protocol of machines needs: no upgrade, no trailers,
 * no informational answer but 100.
 */
export class WireServer implements ConnectionOwner {
  readonly listener: Server;
  readonly limits: WireServerParts['limits'];
  readonly handle: WireServerParts['handle'];
  readonly unreadable: WireServerParts['unreadable'];
  readonly #connections = new Set<Connection>();
  #requests = 0;
  #stopping = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(listener: Server, parts: WireServerParts) {
    this.listener = listener;
    this.limits = parts.limits;
    this.handle = parts.handle;
    this.unreadable = parts.unreadable;
    listener.maxConnections = parts.limits.connectionsMax;
    const isSecure = listener instanceof SecureServer;
    // After everybody who wants to know why the handshake failed.
    if (isSecure) listener.on('tlsClientError', (_error: Error, socket: Socket) => process.nextTick(destroy, socket));
    listener.on(isSecure ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.#connections.add(new Connection(socket, this));
    });
    listener.on('listening', () => this.#watch());
    listener.on('close', () => clearInterval(this.#timer));
  }

  /** Requests being answered. */
  get requests(): number {
    return this.#requests;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** Each answer from now on says that it is the connection's last, and is. */
  stopAfterAnswers(): void {
    this.#stopping = true;
  }

  began(): void {
    this.#requests += 1;
  }

  ended(): void {
    this.#requests -= 1;
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection);
  }

  /** Resolves to the port, once connections are taken. Rejects when the address is in use or refused. */
  listen(host: string, port: number): Promise<number> {
    const { listener } = this;
    return new Promise((resolve, reject) => {
      listener.once('error', reject);
      listener.listen({ host, port, backlog }, () => {
        listener.off('error', reject);
        resolve((listener.address() as AddressInfo).port);
      });
    });
  }

  #watch(): void {
    const { headersTimeoutMs, requestTimeoutMs, keepAliveMs } = this.limits;
    const shortestMs = Math.min(headersTimeoutMs, requestTimeoutMs, keepAliveMs);
    const everyMs = Math.min(checkEveryMsMax, Math.max(checkEveryMsMin, shortestMs / 4));
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      for (const connection of this.#connections) connection.checkTime(nowMs);
    }, everyMs).unref();
  }
}
