import { SocketAddress } from 'node:net';
import type { ClientAddress } from './client-address.ts';

export type ProxyHeaderFaultKind =
  /** The bytes are not a header of the PROXY protocol. */
  | 'garbage'
  /** A header of version 1, which is not accepted here, or of an unknown version. */
  | 'version'
  /** A header longer than we read. */
  | 'oversized'
  /** A header whose length, family or addresses contradict each other. */
  | 'inconsistent';

export type ProxyHeaderReading =
  | { readonly state: 'incomplete' }
  | {
      readonly state: 'complete';
      readonly headerBytes: number;
      /** Undefined when the proxy speaks for itself (health checks) or does not know. */
      readonly client: ClientAddress | undefined;
    }
  | { readonly state: 'fault'; readonly kind: ProxyHeaderFaultKind };

export interface ProxyHeaderRules {
  readonly acceptVersion1: boolean;
  readonly headerBytesMax: number;
}

const signature = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);
const fixedBytes = 16;
const version1Prefix = Buffer.from('PROXY ');
const version1BytesMax = 107;
const version1Line = /^PROXY (?:UNKNOWN(?: .*)?|(TCP4|TCP6) (\S+) (\S+) (\d{1,5}) (\d{1,5}))$/;

/** Bytes of source address, destination address and both ports, by address family. */
const addressBlocks = { ipv4: 12, ipv6: 36 } as const;

/**
 * Reads the header of the PROXY protocol at the start of `bytes` (version 2, and 1 where the rules say so), as
 * described by HAProxy. Pure; may be called again with more bytes while it answers `incomplete`. Extension fields are
 * skipped: nothing here depends on them.
 */
export function readProxyHeader(bytes: Buffer, rules: ProxyHeaderRules): ProxyHeaderReading {
  if (startsLike(bytes, signature)) return readVersion2(bytes, rules.headerBytesMax);
  if (startsLike(bytes, version1Prefix)) return rules.acceptVersion1 ? readVersion1(bytes) : fault('version');
  return fault('garbage');
}

function readVersion2(bytes: Buffer, headerBytesMax: number): ProxyHeaderReading {
  if (bytes.length < fixedBytes) return { state: 'incomplete' };
  const versionAndCommand = bytes.readUInt8(12);
  if (versionAndCommand >> 4 !== 2) return fault('version');
  const headerBytes = fixedBytes + bytes.readUInt16BE(14);
  if (headerBytes > headerBytesMax) return fault('oversized');
  if (bytes.length < headerBytes) return { state: 'incomplete' };
  const command = versionAndCommand & 0x0f;
  if (command === 0) return { state: 'complete', headerBytes, client: undefined };
  if (command !== 1) return fault('inconsistent');
  switch (bytes.readUInt8(13)) {
    case 0x00:
      return { state: 'complete', headerBytes, client: undefined };
    case 0x11:
      return readAddresses(bytes, headerBytes, 'ipv4');
    case 0x21:
      return readAddresses(bytes, headerBytes, 'ipv6');
    default:
      // Datagrams and Unix sockets cannot be what reached a TCP listener through a load balancer.
      return fault('inconsistent');
  }
}

function readAddresses(bytes: Buffer, headerBytes: number, family: 'ipv4' | 'ipv6'): ProxyHeaderReading {
  const blockBytes = addressBlocks[family];
  if (headerBytes < fixedBytes + blockBytes) return fault('inconsistent');
  const addressBytes = family === 'ipv4' ? 4 : 16;
  const source = bytes.subarray(fixedBytes, fixedBytes + addressBytes);
  const address = family === 'ipv4' ? source.join('.') : formatIpv6(source);
  const port = bytes.readUInt16BE(fixedBytes + 2 * addressBytes);
  return { state: 'complete', headerBytes, client: { address, port } };
}

function formatIpv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  // One spelling for one address, as every other address the server sees is spelt.
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}

function readVersion1(bytes: Buffer): ProxyHeaderReading {
  const end = bytes.subarray(0, version1BytesMax).indexOf('\r\n');
  if (end === -1) return bytes.length < version1BytesMax ? { state: 'incomplete' } : fault('oversized');
  const found = version1Line.exec(bytes.toString('latin1', 0, end));
  if (found === null) return fault('garbage');
  const headerBytes = end + 2;
  const [, protocol, source, destination, sourcePort, destinationPort] = found;
  if (protocol === undefined) return { state: 'complete', headerBytes, client: undefined };
  const family = protocol === 'TCP4' ? 'ipv4' : 'ipv6';
  const from = readEndpoint(source, sourcePort, family);
  const to = readEndpoint(destination, destinationPort, family);
  return from && to ? { state: 'complete', headerBytes, client: from } : fault('inconsistent');
}

function readEndpoint(
  address: string | undefined,
  port: string | undefined,
  family: 'ipv4' | 'ipv6',
): ClientAddress | undefined {
  try {
    const read = new SocketAddress({ address: address ?? '', port: Number(port), family });
    return { address: read.address, port: read.port };
  } catch {
    return undefined;
  }
}

function startsLike(bytes: Buffer, prefix: Buffer): boolean {
  const length = Math.min(bytes.length, prefix.length);
  return bytes.subarray(0, length).equals(prefix.subarray(0, length));
}

function fault(kind: ProxyHeaderFaultKind): ProxyHeaderReading {
  return { state: 'fault', kind };
}
