/** The clock of message life, retention, timelines and ids. It can be moved forward in the sandbox, never back. */
export interface ServiceClock {
  /** Milliseconds since 1970, UTC. */
  nowMs(): number;
}

/** Spans of a message's life, in milliseconds of the service clock. */
export interface LifeSpans {
  /** From acceptance to the non-delivery report. */
  readonly inboxExpiryMs: number;
  /** From acceptance to the deletion of the bytes. */
  readonly bodyRetentionMs: number;
  /** From acceptance until the API no longer knows the message. */
  readonly hideMs: number;
  /** From acceptance until the record goes. */
  readonly recordRetentionMs: number;
}

/** The dates a message carries when its life begins at `atMs`. */
export function lifeDates(
  atMs: number,
  spans: LifeSpans,
): {
  readonly expiresAtMs: number;
  readonly keepUntilMs: number;
  readonly hideAtMs: number;
  readonly removeAtMs: number;
} {
  return {
    expiresAtMs: atMs + spans.inboxExpiryMs,
    keepUntilMs: atMs + spans.bodyRetentionMs,
    hideAtMs: atMs + spans.hideMs,
    removeAtMs: atMs + spans.recordRetentionMs,
  };
}
