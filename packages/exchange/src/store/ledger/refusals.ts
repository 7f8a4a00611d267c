/** A request that was turned away: a record of its own, also when it names no message or mailbox. */
export interface RefusalRecord {
  readonly refusalId: string;
  /** Machine clock, milliseconds. */
  readonly atMs: number;
  /** Stable code, e.g. 'token-stale', 'nonce-used', 'certificate-other-organisation'. */
  readonly reason: string;
  /** The exact reason in words for the mailbox owner; never a secret, never personal data. */
  readonly detail: string;
  /** As the caller claimed it, canonical form; null when unreadable or before HTTP. */
  readonly mailbox: string | null;
  readonly operation: string | null;
  readonly status: number | null;
  readonly address: string | null;
  readonly certificateSerial: string | null;
  readonly correlationId: string | null;
  /** How many like it were folded into this record by the rate cap; 1 for an ordinary one. */
  readonly count: number;
}

/** What is given must all be so; from `sinceMs` on, before `untilMs`. */
export interface RefusalQuery {
  readonly mailbox?: string;
  readonly certificateSerial?: string;
  readonly address?: string;
  readonly reason?: string;
  readonly sinceMs?: number;
  readonly untilMs?: number;
  readonly limit: number;
}

export interface RefusalLedger {
  record(refusals: readonly RefusalRecord[]): Promise<void>;
  /** Newest first. */
  search(query: RefusalQuery): Promise<readonly RefusalRecord[]>;
}
