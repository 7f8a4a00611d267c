import type { Limits } from './limits.ts';
import type { LogEntry } from './log.ts';
import type { RetryPolicy } from './retry.ts';
import type { Surroundings } from './surroundings.ts';

/** The certificate a client shows of itself: PEM texts, or the bytes of a PKCS#12 file. */
export type ClientCertificate =
  | {
      readonly kind: 'pem';
      /** The certificate, followed by intermediates if there are any. */
      readonly certificate: string | Uint8Array;
      readonly key: string | Uint8Array;
      /** Of the key, where it is encrypted. */
      readonly passphrase?: string | undefined;
    }
  | { readonly kind: 'pkcs12'; readonly bytes: Uint8Array; readonly passphrase?: string | undefined };

export interface TlsOptions {
  readonly certificate?: ClientCertificate | undefined;
  /** PEM texts of the authorities to trust, instead of the ones Node knows. */
  readonly authorities?: readonly (string | Uint8Array)[] | undefined;
  /** The name the server's certificate must carry, where it is not the host of the URL. */
  readonly serverName?: string | undefined;
  /** TLS 1.2 when absent; nothing older exists here. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  /** Password and messages go to whoever answers. A warning is logged when the client is made. */
  readonly dangerouslyAcceptAnyServerCertificate?: boolean | undefined;
}

/** What a client is made of. Nothing is read from the environment or from files. */
export interface MeshClientOptions {
  /** Origin of the service, such as `https://localhost:8700`; `/messageexchange` behind it is allowed. */
  readonly url: string;
  readonly mailboxId: string;
  readonly password: string;
  /** The environment's shared key, which every mailbox of it signs with. */
  readonly sharedKey: string;
  readonly tls?: TlsOptions | undefined;
  /** `http://[user:password@]host:port` of a proxy that knows CONNECT. */
  readonly proxy?: string | undefined;
  /** Plain HTTP to a host that is not this machine: the token, and whatever is sent, can be read on the way. */
  readonly dangerouslyAllowPlainHttp?: boolean | undefined;
  /** Use a connection again for the next request. Yes when absent; no costs a TLS handshake for each request. */
  readonly keepConnections?: boolean | undefined;
  /** Name and version of the program, such as `lab-system/4.2`, told to the service with each handshake. */
  readonly application?: string | undefined;
  readonly limits?: Partial<Limits> | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** Told of what a person who operates the program should know. Without it, warnings go to `process.emitWarning`. */
  readonly log?: ((entry: LogEntry) => void) | undefined;
  /** Clock, chance and waiting, for tests. */
  readonly surroundings?: Partial<Surroundings> | undefined;
}

/** What every call takes. */
export interface CallOptions {
  /** Ends the call with a `MeshError` of code `aborted`. */
  readonly signal?: AbortSignal | undefined;
}
