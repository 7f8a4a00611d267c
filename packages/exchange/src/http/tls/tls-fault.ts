export type TlsFaultKind =
  /** A file is missing or may not be read. */
  | 'unreadable'
  /** A file was read, but holds no PEM block of the kind expected, or a broken one. */
  | 'malformed'
  /** The private key does not belong to the certificate. */
  | 'key-mismatch'
  /** The server certificate is past its end. */
  | 'expired'
  /** A list is not signed by an authority of the bundle. */
  | 'revocation-list-untrusted'
  /** A list is past its next update: OpenSSL would refuse every caller. */
  | 'revocation-list-expired'
  /** An authority of the bundle has no list: OpenSSL would refuse every caller it vouches for. */
  | 'revocation-list-incomplete'
  /** Each part is sound, but OpenSSL refuses them together. */
  | 'unusable';

/** Certificate files that cannot be served with. `file` is the path as configured; the text holds no key material. */
export class TlsFault extends Error {
  readonly kind: TlsFaultKind;
  readonly file: string;
  constructor(kind: TlsFaultKind, file: string, message: string, options?: { cause: unknown }) {
    super(message, options);
    this.name = 'TlsFault';
    this.kind = kind;
    this.file = file;
  }
}
