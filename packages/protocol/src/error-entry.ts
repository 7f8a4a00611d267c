/**
 * What a caller may do about an error. `transient`: the same request may succeed later. `ambiguous`: it may have taken
 * effect, so look before repeating it. `permanent`: repeating it unchanged cannot succeed.
 */
export type ErrorClass = 'transient' | 'ambiguous' | 'permanent';

export type WhoCanFix = 'caller' | 'recipient' | 'operator' | 'nobody';

/**
 * How an error reaches somebody: as the `answer` to a request, in a `report` put into the sender's inbox, in `either`,
 * or `never` (the code is known from other implementations and is only read, not written).
 */
export type ErrorCarrier = 'answer' | 'report' | 'either' | 'never';

/** One error of the catalogue. `event`, `code` and `text` are the wire's words and may be empty there too. */
export interface ErrorEntry {
  /** HTTP status when it is an answer; for reports, the status it would have had. */
  readonly status: number;
  readonly event: string;
  readonly code: string;
  /** Sentence on the wire; `{name}` marks a parameter of `errorText`. */
  readonly text: string;
  readonly class: ErrorClass;
  readonly whoCanFix: WhoCanFix;
  /** What to do, for people. Never on the wire. */
  readonly hint: string;
  readonly carrier: ErrorCarrier;
}
