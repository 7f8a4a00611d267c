import { clientError } from '../errors/client-errors.ts';
import { MeshError, type OperationName } from '../errors/mesh-error.ts';
import { ProxyRefusal } from './tunnel.ts';

/** How far a request had come when its connection failed. */
export interface RequestProgress {
  readonly operation: OperationName;
  /** Something of the request may have reached the service. */
  readonly mayHaveArrived: boolean;
  readonly endedBy: 'signal' | 'timeout' | undefined;
  readonly abortReason: unknown;
}

const refusedClient =
  /ALERT_(BAD_CERTIFICATE|CERTIFICATE_(REVOKED|EXPIRED|UNKNOWN|REQUIRED)|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE|UNSUPPORTED_CERTIFICATE)/;
const serverRejected =
  /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_CERT|ERR_TLS_CERT_ALTNAME|INVALID_CA|PATH_LENGTH_|INVALID_PURPOSE|HOSTNAME_MISMATCH|CRL_)/;
const foreignProtocol = /^(HPE_|ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH|EPROTO)/;

/** The error of a request that got no whole answer. */
export function connectionError(error: unknown, progress: RequestProgress): MeshError {
  if (error instanceof MeshError) return error;
  const { operation, mayHaveArrived } = progress;
  const cause = error;
  if (progress.endedBy === 'signal') {
    return clientError(mayHaveArrived ? 'aborted-midway' : 'aborted', operation, { cause: progress.abortReason });
  }
  if (error instanceof ProxyRefusal) return clientError('proxy-refused', operation, { detail: error.message, cause });
  const code = codeOf(error);
  if (code === 'HPE_HEADER_OVERFLOW') {
    return clientError('answer-too-large', operation, { detail: 'the limit headerBytes is exceeded', cause });
  }
  // Where TLS 1.3 refuses a certificate, the client learns it only after it has begun to send.
  if (refusedClient.test(code)) return clientError('client-certificate-refused', operation, { detail: code, cause });
  if (serverRejected.test(code)) return clientError('server-certificate-rejected', operation, { detail: code, cause });
  if (progress.endedBy === 'timeout' && mayHaveArrived) return clientError('timed-out', operation, { cause });
  if (mayHaveArrived) return clientError('answer-lost', operation, { detail: code, cause });
  const detail = progress.endedBy === 'timeout' ? 'it took too long' : code;
  return clientError(foreignProtocol.test(code) ? 'unexpected-answer' : 'connection-failed', operation, {
    detail,
    cause,
  });
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined) return code;
  // Several addresses of one name were tried; each has an error of its own.
  return error instanceof AggregateError ? codeOf(error.errors[0]) : error.name;
}
