import type { CalendarDate } from './calendar-date.ts';
import type { NhsNumber } from './nhs-number.ts';

/** Whom is asked about. Personal data: none of it may reach a log, a metric, an address or an error text. */
export interface TraceQuestion {
  readonly nhsNumber: NhsNumber;
  readonly dateOfBirth: CalendarDate;
  /** As it was given: marks, blanks and case are for the comparison to ignore. */
  readonly surname: string;
}

/** What is known of a record besides its practice. */
export interface RecordFacts {
  /** The number asked for was replaced by this one, whose record was read. */
  readonly supersededBy: NhsNumber | null;
  readonly isDeceased: boolean;
}

/** Why no answer could be had. Never what was asked. */
export type UnavailableReason =
  | 'timeout'
  | 'connection'
  /** The service's certificate is not one that can be trusted. */
  | 'certificate'
  | 'rate-limited'
  | 'server-error'
  /** It does not accept who we are: key, key id or permission are wrong. */
  | 'access-refused'
  | 'malformed-answer'
  | 'unexpected-answer'
  /** It was not asked, because it failed a moment ago. */
  | 'resting';

export interface Unavailable {
  readonly kind: 'unavailable';
  readonly reason: UnavailableReason;
  /** How long the service wishes to be left alone, in milliseconds; null when it did not say. */
  readonly retryAfterMs: number | null;
}

export type TraceOutcome =
  /** `practice` is the ODS code of the practice the person is registered with; of the deceased, the last one. */
  | ({ readonly kind: 'found'; readonly practice: string } & RecordFacts)
  | ({ readonly kind: 'no-practice' } & RecordFacts)
  /** The record matches, and its practice is withheld. */
  | ({ readonly kind: 'restricted' } & RecordFacts)
  /** Date of birth or surname is another than the record's. */
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'not-found'; readonly why: 'unknown' | 'invalidated' }
  /** The service does not take the number for an NHS number. */
  | { readonly kind: 'invalid-number' }
  /** Nothing is known: ask again later, and never guess. */
  | Unavailable;

/** Who can say at which practice a person is registered. */
export interface Demographics {
  /**
   * Asks once. Never rejects for anything the service does; a failure is 'unavailable'. `correlationId` joins the
   * question to the caller's own records and must not be derived from the person.
   */
  trace(question: TraceQuestion, context: TraceContext): Promise<TraceOutcome>;
  /** Lets go of connections. */
  close(): void;
}

export interface TraceContext {
  readonly correlationId: string;
  readonly signal?: AbortSignal | undefined;
}
