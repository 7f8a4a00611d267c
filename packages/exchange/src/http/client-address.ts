import { isIPv4, type Server, type Socket } from 'node:net';

/** Where a connection comes from. IPv4 callers of a server on both families are spelt as IPv4. */
export interface ClientAddress {
  readonly address: string;
  readonly port: number;
}

const statedClients = new WeakMap<Socket, ClientAddress>();

/**
 * The caller's address: what a trusted proxy stated for this connection, else the peer's own. Undefined when the
 * connection is gone and `rememberAddresses` did not see it.
 */
export function clientAddressOf(socket: Socket): ClientAddress | undefined {
  const stated = statedClients.get(socket);
  if (stated !== undefined) return stated;
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  return { address: unmapped(remoteAddress), port: remotePort };
}

/** Makes `client` the answer of `clientAddressOf` for this socket. Only for what a trusted proxy said. */
export function stateClient(socket: Socket, client: ClientAddress): void {
  statedClients.set(socket, { address: unmapped(client.address), port: client.port });
}

/** Keeps the address of each connection for when it has failed. Node remembers it once it was asked. */
export function rememberAddresses(server: Server): void {
  server.prependListener('connection', (socket: Socket) => void socket.remoteAddress);
}

/** A server on both families sees IPv4 callers as `::ffff:a.b.c.d`: one caller, one spelling. */
export function unmapped(address: string): string {
  const ipv4 = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : '';
  return isIPv4(ipv4) ? ipv4 : address;
}
