import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { ProxyAddress, ServiceAddress } from '../wire/address.ts';
import type { TlsSettings } from '../wire/tls.ts';
import { openTunnel, ProxyRefusal } from '../wire/tunnel.ts';
import { type Check, type CheckName, failed, ok, skipped } from './check.ts';

export interface NetworkProbe {
  readonly address: ServiceAddress;
  readonly proxy: ProxyAddress | undefined;
  readonly tls: TlsSettings;
  readonly timeoutMs: number;
  readonly headerBytesMax: number;
}

/** What the server showed of itself in the handshake. */
export interface ServerPresented {
  readonly subject: string;
  readonly issuer: string;
  readonly validToMs: number;
  readonly protocol: string;
  /** Why it is not trusted; undefined when it is. */
  readonly problem: string | undefined;
}

/** The name's addresses. With a proxy it is the proxy that must have one; it finds the service by itself. */
export async function probeName({ address, proxy, timeoutMs }: NetworkProbe): Promise<Check> {
  const { hostname } = proxy ?? address;
  const whose = proxy === undefined ? 'the service' : 'the proxy';
  try {
    const found = await within(lookup(hostname, { all: true }), timeoutMs);
    return ok('name', `${hostname} (${whose}) is ${found.map((one) => one.address).join(', ')}`);
  } catch (error) {
    const fix = `Check the spelling of ${hostname}; ask whoever runs the network whether this machine may look it up.`;
    return failed('name', `${hostname} (${whose}) has no address: ${codeOf(error)}`, fix);
  }
}

/** A connection as requests make one, and the checks of the way there; undefined when there is none. */
export async function probeConnection(
  probe: NetworkProbe,
): Promise<{ readonly checks: readonly Check[]; readonly socket: Socket | undefined }> {
  return probe.proxy === undefined ? straight(probe) : throughProxy(probe, probe.proxy);
}

async function straight({ address, timeoutMs }: NetworkProbe): ReturnType<typeof probeConnection> {
  const { hostname, port } = address;
  const noProxy = skipped('proxy', 'none is used');
  const socket = connectTcp({ host: hostname, port });
  try {
    await within(once(socket, 'connect'), timeoutMs);
    return { checks: [noProxy, ok('connection', `${hostname} answers at port ${port}`)], socket };
  } catch (error) {
    socket.destroy();
    const fix =
      'Check the URL’s host and port; ask whoever runs the network to open the firewall, or set the proxy to use.';
    const refused = failed('connection', `${hostname} does not answer at port ${port}: ${codeOf(error)}`, fix);
    return { checks: [noProxy, refused], socket: undefined };
  }
}

async function throughProxy(probe: NetworkProbe, proxy: ProxyAddress): ReturnType<typeof probeConnection> {
  const { hostname, port } = probe.address;
  const where = `${proxy.hostname}:${proxy.port}`;
  const { timeoutMs, headerBytesMax } = probe;
  try {
    const socket = await openTunnel({ proxy, hostname, port, timeoutMs, headerBytesMax });
    return { checks: [ok('proxy', `${where} connects to ${hostname}:${port}`), skippedWay], socket };
  } catch (error) {
    const refused = error instanceof ProxyRefusal;
    const finding = refused ? `${where} refuses: ${error.message}` : `${where} does not answer: ${codeOf(error)}`;
    const fix =
      refused && error.status === 407
        ? 'The proxy wants a name and password: put them into the proxy’s URL.'
        : `Check the proxy’s URL; ask whoever runs it to allow CONNECT to ${hostname}:${port}.`;
    return { checks: [failed('proxy', finding, fix), skippedWay], socket: undefined };
  }
}

const skippedWay = skipped('connection', 'the proxy makes it');

/** The TLS handshake, with the server's certificate looked at whether or not it is trusted. Throws when there is none. */
export async function probeTls(probe: NetworkProbe, socket: Socket): Promise<ServerPresented> {
  const { address, tls, timeoutMs } = probe;
  const { hostname } = address;
  const isAddress = /^[\d.]+$|:/.test(hostname);
  const servername = tls.servername ?? (isAddress ? '' : hostname);
  const { secureContext } = tls;
  const secure = connectTls({ socket, host: hostname, servername, secureContext, rejectUnauthorized: false });
  try {
    await within(once(secure, 'secureConnect'), timeoutMs);
    const presented = readPresented(secure);
    // The last words of the handshake are still to be sent: without them the service takes it for one that failed.
    secure.destroySoon();
    return presented;
  } catch (error) {
    secure.destroy();
    throw error;
  }
}

function readPresented(secure: TLSSocket): ServerPresented {
  const certificate: PeerCertificate = secure.getPeerCertificate();
  const problem: unknown = secure.authorizationError;
  return {
    subject: nameOf(certificate.subject),
    issuer: nameOf(certificate.issuer),
    validToMs: Date.parse(certificate.valid_to),
    protocol: secure.getProtocol() ?? 'TLS',
    problem: secure.authorized ? undefined : problem instanceof Error ? codeOf(problem) : String(problem),
  };
}

function nameOf(name: PeerCertificate['subject'] | undefined): string {
  const { CN, O } = name ?? {};
  return String(CN ?? O ?? 'without a name');
}

/** Rejects with a code of its own when the work takes too long; whoever started it must end it. */
export async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error('it took too long'), { code: 'ETIMEDOUT' })), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}

export function codeOf(error: unknown): string {
  const { code, message } = (error ?? {}) as NodeJS.ErrnoException;
  return code ?? message ?? 'unknown';
}

/** All of these stand on something that failed. */
export function skipAll(names: readonly CheckName[], finding: string): readonly Check[] {
  return names.map((name) => skipped(name, finding));
}
