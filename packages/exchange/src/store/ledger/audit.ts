/** One entry of the append-only log of changes and of reads by people. */
export interface AuditEntry {
  readonly atMs: number;
  /** Who: a command-line operator, a signed-in person, a job. */
  readonly actor: string;
  /** What, as a stable verb: 'mailbox.add', 'registry.import', 'message.show'. */
  readonly action: string;
  readonly subject: string;
  /** Facts as JSON text; never secrets or personal data. */
  readonly detail: string;
}

export interface ChainedAuditEntry extends AuditEntry {
  readonly entryNo: number;
  /** SHA-256 hex over the previous hash and this entry's canonical text. */
  readonly hash: string;
}

export interface AuditQuery {
  readonly fromEntryNo: number;
  readonly limit: number;
  /** Reads backwards: from `fromEntryNo` down. */
  readonly newestFirst?: boolean;
}

export interface AuditLedger {
  append(entry: AuditEntry): Promise<ChainedAuditEntry>;
  /** In order of entry, from `fromEntryNo` on; or the other way. */
  read(query: AuditQuery): Promise<readonly ChainedAuditEntry[]>;
}
