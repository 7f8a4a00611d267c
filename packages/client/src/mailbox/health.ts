export type Direction = 'out' | 'in';
type Part = Direction | 'folders';

export interface PartHealth {
  /** Nothing is known until the first turn ended. */
  readonly state: 'unknown' | 'good' | 'bad';
  /** Since when it is so, and when it was last good; milliseconds since 1970. */
  readonly sinceMs: number | undefined;
  readonly lastGoodMs: number | undefined;
  /** Why it is bad; no personal data. */
  readonly reason: string | undefined;
}

export interface Health {
  readonly mailbox: string;
  readonly parts: Readonly<Record<Part, PartHealth>>;
}

const unknown: PartHealth = { state: 'unknown', sinceMs: undefined, lastGoodMs: undefined, reason: undefined };

/** How each part of a mailbox's work is doing. */
export class HealthBook {
  readonly #mailbox: string;
  readonly #parts: Record<Part, PartHealth> = { out: unknown, in: unknown, folders: unknown };

  constructor(mailbox: string) {
    this.#mailbox = mailbox;
  }

  get now(): Health {
    return { mailbox: this.#mailbox, parts: { ...this.#parts } };
  }

  /** True when that is news. */
  good(part: Part, nowMs: number): boolean {
    const { state, sinceMs } = this.#parts[part];
    const isNews = state !== 'good';
    this.#parts[part] = { state: 'good', sinceMs: isNews ? nowMs : sinceMs, lastGoodMs: nowMs, reason: undefined };
    return isNews;
  }

  /** True when that, or its reason, is news. */
  bad(part: Part, nowMs: number, reason: string): boolean {
    const before = this.#parts[part];
    const isNews = before.state !== 'bad' || before.reason !== reason;
    this.#parts[part] = { ...before, state: 'bad', sinceMs: before.state === 'bad' ? before.sinceMs : nowMs, reason };
    return isNews;
  }
}
