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
  /** What the code says, for whoever looks for the mistake; undefined where the code must speak for itself. */
  readonly says: string | undefined;
  /** Where it came from; undefined when `rememberAddresses` did not see the connection. */
  readonly address: ClientAddress | undefined;
}

/** Of Node and OpenSSL, with the alerts that a caller sends when it is the one who refuses. */
const words: readonly (readonly [RegExp, string])[] = [
  [/^ERR_SSL_HTTP_REQUEST$/, 'plain HTTP came where TLS is spoken: the URL of the caller has to begin with https://'],
  [
    /_ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_)/,
    'the caller does not accept the certificate of this server: it lacks its authority, or uses another name',
  ],
  [
    /^ERR_SSL_(UNSUPPORTED_PROTOCOL|NO_SHARED_CIPHER|VERSION_TOO_LOW)/,
    'the caller offers no version or cipher that is safe',
  ],
  [/^ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE$/, 'the caller sent no certificate'],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_)/,
    'no authority of OPENMESH_TLS_CA_FILE issued its certificate',
  ],
  [/^CERT_HAS_EXPIRED$/, 'its certificate has expired'],
  [/^ECONNRESET$/, 'the caller ended the connection in the middle of the handshake'],
  [/^ERR_TLS_HANDSHAKE_TIMEOUT$/, 'the caller did not finish the handshake in time'],
];

/**
 * Explains a 'tlsClientError' event. Undefined for a caller that left without a word, as a load balancer does to see whether
 * the port is open: nobody was refused. A certificate refused in the handshake is known by its reason only: Node destroys
 * the connection before it tells, and the certificate with it. Of a certificate that is answered 400 everything is known.
 */
export function describeTlsFailure(error: Error, socket: TLSSocket): TlsFailure | undefined {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN';
  // By now the TLS socket has forgotten its peer; the TCP socket below it, which only this private member names, has not.
  const below: unknown = '_parent' in socket ? socket._parent : undefined;
  const raw = below instanceof Socket ? below : undefined;
  if (code === 'ECONNRESET' && raw?.bytesRead === 0) return undefined;
  const address = raw === undefined ? undefined : clientAddressOf(raw);
  if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') return failure('missing', code, address);
  const refusal: unknown = socket.authorizationError;
  if (typeof refusal === 'string') return failure(distrustReason(refusal), refusal, address);
  return failure('handshake', code, address);
}

function failure(reason: TlsFailure['reason'], code: string, address: ClientAddress | undefined): TlsFailure {
  return { reason, code, says: words.find(([pattern]) => pattern.test(code))?.[1], address };
}
