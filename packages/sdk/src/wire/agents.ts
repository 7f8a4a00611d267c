import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { Limits } from '../limits.ts';
import type { ProxyAddress, ServiceAddress } from './address.ts';
import type { TlsSettings } from './tls.ts';
import { openTunnel } from './tunnel.ts';

export interface AgentParts {
  readonly address: ServiceAddress;
  readonly tls: TlsSettings;
  readonly proxy: ProxyAddress | undefined;
  readonly limits: Limits;
  readonly keepConnections: boolean;
}

type OnSocket = (error: Error | null, socket: Duplex) => void;

/** The kept connections of one client: straight to the service or through a proxy, with or without TLS. */
export function makeAgent(parts: AgentParts): HttpAgent {
  const { address, tls, proxy, limits } = parts;
  const kept = { keepAlive: parts.keepConnections, maxSockets: limits.sockets, timeout: limits.idleSocketMs };
  if (address.isSecure) {
    const secured = { ...kept, ...tls, servername: tls.servername ?? serverNameOf(address) };
    return proxy === undefined ? new HttpsAgent(secured) : new SecureTunnelAgent(secured, parts, proxy);
  }
  return proxy === undefined ? new HttpAgent(kept) : new TunnelAgent(kept, parts, proxy);
}

/** An address is no name that could be asked for in the handshake; the certificate is held to it all the same. */
function serverNameOf({ hostname }: ServiceAddress): string {
  return /^[\d.]+$|:/.test(hostname) ? '' : hostname;
}

function tunnel({ address, limits }: AgentParts, proxy: ProxyAddress): Promise<Socket> {
  const { hostname, port } = address;
  return openTunnel({ proxy, hostname, port, timeoutMs: limits.connectMs, headerBytesMax: limits.headerBytes });
}

class TunnelAgent extends HttpAgent {
  readonly #parts: AgentParts;
  readonly #proxy: ProxyAddress;

  constructor(options: ConstructorParameters<typeof HttpAgent>[0], parts: AgentParts, proxy: ProxyAddress) {
    super(options);
    this.#parts = parts;
    this.#proxy = proxy;
  }

  override createConnection(_options: object, onSocket?: OnSocket): undefined {
    void give(tunnel(this.#parts, this.#proxy), onSocket);
  }
}

class SecureTunnelAgent extends HttpsAgent {
  readonly #parts: AgentParts;
  readonly #proxy: ProxyAddress;

  constructor(options: ConstructorParameters<typeof HttpsAgent>[0], parts: AgentParts, proxy: ProxyAddress) {
    super(options);
    this.#parts = parts;
    this.#proxy = proxy;
  }

  override createConnection(_options: object, onSocket?: OnSocket): undefined {
    void give(this.#secure(), onSocket);
  }

  async #secure(): Promise<Duplex> {
    const { address, tls } = this.#parts;
    const socket = await tunnel(this.#parts, this.#proxy);
    const { secureContext, rejectUnauthorized, servername = serverNameOf(address) } = tls;
    return connectTls({ socket, host: address.hostname, servername, secureContext, rejectUnauthorized });
  }
}

async function give(connecting: Promise<Duplex>, onSocket: OnSocket | undefined): Promise<void> {
  let socket: Duplex;
  try {
    socket = await connecting;
  } catch (error) {
    // Node looks at the error first, and then at no socket.
    onSocket?.(error as Error, undefined as never);
    return;
  }
  onSocket?.(null, socket);
}
