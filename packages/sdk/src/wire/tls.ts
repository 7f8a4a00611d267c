import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { clientError } from '../errors/client-errors.ts';
import type { TlsOptions } from '../options.ts';

/** What `tls.connect` needs for every connection. */
export interface TlsSettings {
  readonly secureContext: SecureContext;
  readonly servername: string | undefined;
  readonly rejectUnauthorized: boolean;
}

/** Reads certificates once. Throws `client-certificate-unusable` for a key, certificate or passphrase that is no good. */
export function readTls(options: TlsOptions = {}): TlsSettings {
  return {
    secureContext: makeContext(options),
    servername: options.serverName,
    rejectUnauthorized: options.dangerouslyAcceptAnyServerCertificate !== true,
  };
}

function makeContext(options: TlsOptions): SecureContext {
  const { authorities, minVersion = 'TLSv1.2' } = options;
  const trust: SecureContextOptions = authorities === undefined ? {} : { ca: authorities.map(textOf) };
  try {
    return createSecureContext({ minVersion, ...trust, ...certificateOf(options) });
  } catch (cause) {
    // What OpenSSL says names no secret, and tells a wrong passphrase from a wrong file.
    const detail = cause instanceof Error ? cause.message : undefined;
    throw clientError('client-certificate-unusable', 'configure', { detail, cause });
  }
}

function certificateOf({ certificate }: TlsOptions): SecureContextOptions {
  switch (certificate?.kind) {
    case undefined:
      return {};
    case 'pem':
      return {
        cert: textOf(certificate.certificate),
        key: textOf(certificate.key),
        ...withPassphrase(certificate.passphrase),
      };
    case 'pkcs12':
      return { pfx: Buffer.from(certificate.bytes), ...withPassphrase(certificate.passphrase) };
  }
}

function withPassphrase(passphrase: string | undefined): SecureContextOptions {
  return passphrase === undefined ? {} : { passphrase };
}

function textOf(pem: string | Uint8Array): string | Buffer {
  return typeof pem === 'string' ? pem : Buffer.from(pem);
}
