import { createHash, hkdfSync } from 'node:crypto';

/** Length Node asks for: a name, an AES key and a HMAC key of 16 bytes each. */
const ticketKeyBytes = 48;

/** What a session ticket must not outlive or travel across. */
export interface TicketScope {
  /** Secret random bytes, 32 or more; nodes that share it resume each other's sessions. */
  readonly seed: Uint8Array;
  /** Counts rotations: machine time divided by the rotation period. */
  readonly epoch: number;
  /** Everything a full handshake decides by: how certificates are asked for, which authorities and lists count. */
  readonly trust: readonly string[];
}

/**
 * Derives the ticket key of one period. The trust decided by is part of the derivation, so that a session made under
 * an authority since removed, or before a revocation list came in, cannot be resumed: its ticket is unreadable and the
 * client falls back to a full handshake. Rotation costs each client one full handshake.
 */
export function deriveTicketKeys(scope: TicketScope): Buffer {
  const trust = createHash('sha256');
  for (const part of scope.trust) trust.update(`${part.length}:`).update(part);
  const context = Buffer.concat([Buffer.from(`openmesh ticket ${scope.epoch} `), trust.digest()]);
  return Buffer.from(hkdfSync('sha256', scope.seed, 'openmesh-session-tickets', context, ticketKeyBytes));
}
