export type SealFaultKind =
  /** Not something that was ever sealed here. */
  | 'malformed'
  /** Sealed under a key that is not in the key file. */
  | 'unknown-key'
  /** Changed since it was sealed, moved from another record, or sealed under another key of the same name. */
  | 'tampered';

/** Carries the context and the key's name; never the text, the sealed bytes or the key. */
export class SealFault extends Error {
  readonly kind: SealFaultKind;
  constructor(kind: SealFaultKind, message: string) {
    super(message);
    this.name = 'SealFault';
    this.kind = kind;
  }
}
