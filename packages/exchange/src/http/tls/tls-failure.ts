import { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type CertificateReason, distrustReason } from '../auth/client-certificate.ts';
import { type ClientAddress, clientAddressOf } from '../client-address.ts';

/** Why a TLS connection never carried a request; for the record of refusals. */
export interface TlsFailure {
  /** A certificate's reason, or `handshake`: no common version or cipher, time-out, not TLS at all. */
  readonly reason: CertificateReason | 'handshake';
  /** OpenSSL's or Node's code; never text out of the connection. */
  readonly code: string;
  /** Where it came from; undefined when `rememberAddresses` did not see the connection. */
  readonly address: ClientAddress | undefined;
}

/**
 * Explains a 'tlsClientError' event. A certificate refused in the handshake is known by its reason only: Node destroys
 * the connection before it tells, and the certificate with it. Of a certificate that is answered 400 everything is known.
 */
export function describeTlsFailure(error: Error, socket: TLSSocket): TlsFailure {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN';
  // By now the TLS socket has forgotten its peer; the TCP socket below it, which only this private member names, has not.
  const below: unknown = '_parent' in socket ? socket._parent : undefined;
  const address = below instanceof Socket ? clientAddressOf(below) : undefined;
  if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') return { reason: 'missing', code, address };
  const refusal: unknown = socket.authorizationError;
  if (typeof refusal === 'string') return { reason: distrustReason(refusal), code: refusal, address };
  return { reason: 'handshake', code, address };
}
