/** One thing that was examined. */
export interface Finding {
  /** A mailbox, or `client`. */
  readonly about: string;
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped';
  /** No secret, no personal data. */
  readonly finding: string;
  /** What to do, where something is to be done. */
  readonly fix: string | undefined;
}
