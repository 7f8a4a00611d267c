import { BlockList, isIPv4, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type ClientAddress, stateClient, unmapped } from './client-address.ts';
import { type ProxyHeaderFaultKind, readProxyHeader } from './proxy-header.ts';

/** A range of addresses, as `BlockList.addSubnet` takes it. */
export interface ProxyRange {
  readonly address: string;
  readonly prefixLength: number;
  readonly family: 'ipv4' | 'ipv6';
}

export type ProxyRefusalKind =
  | ProxyHeaderFaultKind
  /** The connection does not come from a trusted proxy. */
  | 'untrusted-peer'
  /** The header was not complete in time. */
  | 'slow'
  /** The connection ended or failed before its header was complete. */
  | 'ended'
  /** More connections wait for their header than we hold. */
  | 'crowded';

export interface ProxyProtocolOptions {
  readonly trusted: readonly ProxyRange[];
  /**
   * What becomes of a peer that is not trusted: refused, or served as the caller itself. Either way nothing it sends is
   * read as a header.
   */
  readonly untrusted?: 'refuse' | 'direct';
  readonly acceptVersion1?: boolean;
  readonly headerBytesMax?: number;
  readonly headerTimeoutMs?: number;
  readonly waitingMax?: number;
  /** Told of each connection destroyed here but those that left without a word; `peer` is the address that connected to us. */
  readonly onRefused?: (refusal: { readonly kind: ProxyRefusalKind; readonly peer: string }) => void;
}

/** Defaults of the optional settings. Real headers with the fields of cloud load balancers take under 300 bytes. */
export const proxyProtocolDefaults = {
  headerBytesMax: 2048,
  headerTimeoutMs: 5000,
  waitingMax: 4096,
} as const;

/**
 * Puts the PROXY protocol in front of a server, before TLS. Call it before the server listens, once.
 *
 * The server keeps listening itself and only its own 'connection' listener is delayed until the header is read: a second
 * listening server in front would leave this one without its limits, since Node starts counting connections for header
 * and request timeouts at 'listening', and `close()` would not wait for what was handed over.
 */
export function acceptProxyProtocol(server: Server, options: ProxyProtocolOptions): void {
  const serve = server.listeners('connection') as ((this: unknown, socket: Socket) => void)[];
  server.removeAllListeners('connection');
  const trusted = new BlockList();
  for (const { address, prefixLength, family } of options.trusted) trusted.addSubnet(address, prefixLength, family);
  const stated = new StatedByPeer(server);
  let waiting = 0;

  server.on('connection', (socket: Socket) => {
    const peer = unmapped(socket.remoteAddress ?? '');
    const hand = (client: ClientAddress | undefined): void => {
      if (client !== undefined) stated.remember(socket, client);
      for (const listener of serve) listener.call(server, socket);
    };
    const refuse = (kind: ProxyRefusalKind): void => {
      // A load balancer that looks whether the port is open says nothing and goes: nobody was refused.
      const isOnlyLooking = kind === 'ended' && socket.bytesRead === 0;
      socket.destroy();
      if (!isOnlyLooking) options.onRefused?.({ kind, peer });
    };
    if (!isTrusted(trusted, peer)) return options.untrusted === 'direct' ? hand(undefined) : refuse('untrusted-peer');
    if (waiting >= (options.waitingMax ?? proxyProtocolDefaults.waitingMax)) return refuse('crowded');
    waiting += 1;
    readHeader(socket, options, (outcome) => {
      waiting -= 1;
      if ('kind' in outcome) refuse(outcome.kind);
      else hand(outcome.client);
    });
  });
}

type HeaderOutcome = { readonly client: ClientAddress | undefined } | { readonly kind: ProxyRefusalKind };

/** Reads a header off a fresh socket and calls back once; what follows the header stays in the socket's buffer. */
function readHeader(socket: Socket, options: ProxyProtocolOptions, done: (outcome: HeaderOutcome) => void): void {
  const headerBytesMax = options.headerBytesMax ?? proxyProtocolDefaults.headerBytesMax;
  const rules = { headerBytesMax, acceptVersion1: options.acceptVersion1 === true };
  let bytes = Buffer.alloc(0);
  const timeoutMs = options.headerTimeoutMs ?? proxyProtocolDefaults.headerTimeoutMs;
  const timer = setTimeout(() => finish({ kind: 'slow' }), timeoutMs);

  const finish = (outcome: HeaderOutcome): void => {
    clearTimeout(timer);
    socket.off('readable', onReadable);
    socket.off('end', onEnd);
    socket.off('error', onEnd);
    socket.off('close', onEnd);
    done(outcome);
  };
  const onReadable = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    bytes = Buffer.concat([bytes, chunk]);
    const reading = readProxyHeader(bytes, rules);
    switch (reading.state) {
      case 'incomplete':
        return;
      case 'fault':
        return finish({ kind: reading.kind });
      case 'complete': {
        const rest = bytes.subarray(reading.headerBytes);
        if (rest.length > 0) socket.unshift(rest);
        finish({ client: reading.client });
      }
    }
  };
  const onEnd = (): void => finish({ kind: 'ended' });
  socket.on('readable', onReadable);
  socket.on('end', onEnd);
  socket.on('error', onEnd);
  socket.on('close', onEnd);
}

/**
 * Carries a stated address from the TCP socket to the TLS socket made of it, which Node does not link in public: the
 * two have the same peer address and port, and no two open connections of one server share these.
 */
class StatedByPeer {
  readonly #byPeer = new Map<string, ClientAddress>();

  constructor(server: Server) {
    // First, so that the address is known to every other listener.
    server.prependListener('secureConnection', (secure: TLSSocket) => {
      const client = this.#byPeer.get(peerKey(secure));
      if (client !== undefined) stateClient(secure, client);
    });
  }

  remember(socket: Socket, client: ClientAddress): void {
    stateClient(socket, client);
    const key = peerKey(socket);
    this.#byPeer.set(key, client);
    socket.once('close', () => this.#byPeer.delete(key));
  }
}

function peerKey(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;
}

function isTrusted(trusted: BlockList, peer: string): boolean {
  return peer !== '' && trusted.check(peer, isIPv4(peer) ? 'ipv4' : 'ipv6');
}
