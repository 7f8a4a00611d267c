/** Something an operator is to be told. */
export interface Alert {
  /** Stable, for programs: 'organisation-closed', 'rule-check', … */
  readonly code: string;
  /** What it is about: a code or an id, never a person. */
  readonly subject: string;
  readonly sentence: string;
}

/** What there is to tell, kept until it was told. */
export interface AlertLedger {
  /**
   * Notes alerts as they stand at `atMs`. One that was told stays told while it says the same, unless that was before
   * `againIfToldBeforeMs`.
   */
  raise(command: { alerts: readonly Alert[]; atMs: number; againIfToldBeforeMs: number }): Promise<void>;
  /** Alerts to be told that were seen since, oldest first. */
  untold(query: { seenSinceMs: number; limit: number }): Promise<readonly Alert[]>;
  /** The alert was told; nothing happens when it says something else by now. */
  told(command: { alert: Alert; atMs: number }): Promise<void>;
  /** Forgets what was last seen before `beforeMs`; answers how many. */
  forget(command: { beforeMs: number; limit: number }): Promise<number>;
}
