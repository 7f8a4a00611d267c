import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { serialKey } from '../tls/revocation-list.ts';
import { type CertificateHolder, parseCommonName } from './certificate-subject.ts';

/** What the server knows of a connection's client certificate. Read once a connection, then only looked up. */
export interface PeerCertificateFacts {
  /** Upper-case hex, as issued. */
  readonly serial: string;
  /** SHA-256 of the certificate, lower-case hex without separators. */
  readonly fingerprint: string;
  /** Issuer and serial, as a revocation list names them. */
  readonly serialKey: string;
  /** Undefined when the subject has no common name, or more than one. */
  readonly commonName: string | undefined;
  /** Undefined when the common name is not `{local_id}.{ods_code}.api.mesh-client.nhs.uk`. */
  readonly holder: CertificateHolder | undefined;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Object identifiers of the extended key usage; undefined when the certificate does not carry the extension. */
  readonly extendedKeyUsages: readonly string[] | undefined;
  /** Why the chain was not accepted when the session was first made, in OpenSSL's word; undefined when it was. */
  readonly distrust: string | undefined;
  /** True when the session was resumed, so that the chain was not looked at again for this connection. */
  readonly resumed: boolean;
}

// `null` stands for "looked, and there is none", so that a caller without a certificate costs one look as well.
const factsOf = new WeakMap<TLSSocket, PeerCertificateFacts | null>();

/**
 * The client certificate of a connection whose handshake is complete, or undefined when it sent none.
 *
 * Resumed sessions carry the leaf certificate inside the ticket (TLS 1.2 and 1.3 alike), so the answer does not depend
 * on resumption. `TLSSocket.authorized` is not used for "is there a certificate": older Node reports a resumed TLS 1.3
 * session without one as authorized. The cache is sound because renegotiation is off and the server never asks again.
 */
export function readPeerFacts(socket: TLSSocket): PeerCertificateFacts | undefined {
  const known = factsOf.get(socket);
  if (known !== undefined) return known ?? undefined;
  const certificate = socket.getPeerX509Certificate();
  const facts = certificate === undefined ? null : describe(certificate, socket);
  factsOf.set(socket, facts);
  return facts ?? undefined;
}

function describe(certificate: X509Certificate, socket: TLSSocket): PeerCertificateFacts {
  // Absent, whatever its type says, when the subject is empty.
  const subject: string | undefined = certificate.subject;
  const commonName = onlyCommonName(subject ?? '');
  // Node's `keyUsage` is the extended key usage; its type misses that it may be absent.
  const extendedKeyUsages: readonly string[] | undefined = certificate.keyUsage;
  // @types/node calls this an Error; Node hands out OpenSSL's code, a string.
  const refusal: unknown = socket.authorizationError;
  return {
    serial: certificate.serialNumber,
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    serialKey: serialKey(certificate.issuer, certificate.serialNumber),
    commonName,
    holder: commonName === undefined ? undefined : parseCommonName(commonName),
    notBeforeMs: certificate.validFromDate.getTime(),
    notAfterMs: certificate.validToDate.getTime(),
    extendedKeyUsages,
    distrust: socket.authorized ? undefined : typeof refusal === 'string' ? refusal : 'UNSPECIFIED',
    resumed: socket.isSessionReused(),
  };
}

/**
 * Node prints one relative name a line, the members of a multi-valued one joined by ` + `, and escapes `+`, `\` and
 * control characters inside values; the grammar of the common name admits none of these, so an escaped value fails there.
 */
function onlyCommonName(subject: string): string | undefined {
  const names = subject
    .split(/\n| \+ /)
    .filter((part) => part.startsWith('CN='))
    .map((part) => part.slice('CN='.length));
  return names.length === 1 ? names[0] : undefined;
}
