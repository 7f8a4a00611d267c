/** What a client shows of itself. */
export interface Identity {
  /** PEM. */
  readonly key: string;
  /** Of the key, where it is encrypted. */
  readonly passphrase: string | undefined;
  /** PEM certificates, the client's own first. */
  readonly chain: readonly string[];
}

export interface Credentials {
  readonly identity: Identity | undefined;
  /** PEM certificates of authorities. */
  readonly authorities: readonly string[];
}

/** A key store or certificate file cannot be used. The sentence names no secret. */
export class KeyStoreFault extends Error {
  override readonly name = 'KeyStoreFault';
}
