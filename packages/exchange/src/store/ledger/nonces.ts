import type { MailboxId } from '@openmesh/protocol';

/** A token's right to be used once: the triple mailbox, nonce, nonce count; the timestamp is not part of it. */
export interface NonceClaim {
  readonly mailbox: MailboxId;
  /** `nonce:count`, as sent. A nonce holds no colon, so the pair is unambiguous. */
  readonly nonce: string;
  /** Machine clock, milliseconds. */
  readonly seenAtMs: number;
  /** Machine clock, milliseconds: from here on the token's own timestamp refuses it, and the claim may be swept. */
  readonly expiresAtMs: number;
}

/** The answer to a command whose token was used before; the command left no trace. */
export interface NonceUsed {
  readonly kind: 'nonce-used';
  readonly seenAtMs: number;
}

export interface NonceLedger {
  /** Claims the nonce of a request that changes nothing else (a read). */
  claim(claim: NonceClaim): Promise<{ readonly kind: 'claimed' } | NonceUsed>;
}
