import {
  continueFromLengthMax,
  continueFromLengthMin,
  inboxPageDefault,
  inboxPageMax,
  inboxPageMin,
  richInboxPageDefault,
  richInboxPageMax,
  richInboxPageMin,
  richListingSpanDefaultMs,
  richOutboxPageMax,
  workflowFilterLengthMax,
  workflowFilterLengthMin,
} from './limits.ts';
import { parseIsoInstant } from './timestamps.ts';
import {
  invalidValue,
  missing,
  notADateTime,
  type RequestFailure,
  readInteger,
  tooLong,
  tooShort,
  type ValidationDetail,
} from './validation.ts';
import { parseWorkflowFilter, type WorkflowFilter } from './workflow-filter.ts';

/** Decoded query parameters in the order sent, such as a URLSearchParams; of a repeated name the last counts. */
export type QueryPairs = Iterable<readonly [name: string, value: string]>;

export interface InboxQuery {
  readonly maxResults: number;
  /** As sent: an opaque token in version 2, the last message id seen in version 1. */
  readonly continueFrom: string | undefined;
  readonly workflowFilter: WorkflowFilter | undefined;
  /** The filter as sent, for the links of the answer. */
  readonly workflowFilterText: string | undefined;
}

export interface RichQuery {
  /** Only messages after this moment, in milliseconds since 1970. */
  readonly startMs: number;
  /** As sent, for the links of the answer; undefined when the default was taken. */
  readonly startText: string | undefined;
  readonly maxResults: number;
  readonly continueFrom: string | undefined;
}

export type QueryReading<Query> =
  | { readonly ok: true; readonly query: Query }
  | { readonly ok: false; readonly failure: RequestFailure };

type Field<Value> = Value | ValidationDetail;

/** Reads the query of an inbox listing; every failing parameter is named in one failure. Unknown ones are ignored. */
export function parseInboxQuery(pairs: QueryPairs): QueryReading<InboxQuery> {
  const values = lastValues(pairs);
  const maxResults = readMaxResults(
    values.get('max_results'),
    { min: inboxPageMin, max: inboxPageMax },
    inboxPageDefault,
  );
  const continueFrom = readContinueFrom(values.get('continue_from'));
  const filterText = readWorkflowFilterText(values.get('workflow_filter'));
  if (isDetail(maxResults) || isDetail(continueFrom) || isDetail(filterText)) {
    return failed([maxResults, continueFrom, filterText]);
  }
  const workflowFilter = filterText === undefined ? undefined : parseWorkflowFilter(filterText);
  return { ok: true, query: { maxResults, continueFrom, workflowFilter, workflowFilterText: filterText } };
}

/** Reads the query of a rich inbox: 1 to 2,000 results, 100 by default; without a start time, the last 30 days. */
export function parseRichInboxQuery(pairs: QueryPairs, nowMs: number): QueryReading<RichQuery> {
  return parseRichQuery(pairs, nowMs, { min: richInboxPageMin, max: richInboxPageMax });
}

/** Reads the query of a rich outbox: validated like an inbox listing, but never more than 100 results. */
export function parseRichOutboxQuery(pairs: QueryPairs, nowMs: number): QueryReading<RichQuery> {
  const reading = parseRichQuery(pairs, nowMs, { min: inboxPageMin, max: inboxPageMax });
  if (!reading.ok) return reading;
  const maxResults = Math.min(reading.query.maxResults, richOutboxPageMax);
  return { ok: true, query: { ...reading.query, maxResults } };
}

/**
 * The message id of a tracking query, as sent: `messageID` in any case, or an empty name, which one widespread client
 * sends. The detail says that it is missing.
 */
export function parseTrackingQuery(pairs: QueryPairs): QueryReading<{ readonly messageId: string }> {
  let messageId: string | undefined;
  for (const [name, value] of pairs) {
    if (value !== '' && (name === '' || name.toLowerCase() === 'messageid')) messageId = value;
  }
  if (messageId === undefined) return failed([missing(['query', 'messageID'])]);
  return { ok: true, query: { messageId } };
}

/** The failure for a `continue_from` that has a right length but is no token of this inbox. */
export function unreadableContinueFrom(raw: string): RequestFailure {
  return { kind: 'validation', details: [invalidValue(['query', 'continue_from'], 'not a token of this list', raw)] };
}

/** The failure for a chunk number in the path that `parseChunkNumber` refused. */
export function invalidChunkNumber(raw: string): RequestFailure {
  const loc = ['path', 'chunk_number'] as const;
  const value = readInteger(raw, loc, { min: 1, max: Number.MAX_SAFE_INTEGER });
  return { kind: 'validation', details: [isDetail(value) ? value : invalidValue(loc, 'too large', raw)] };
}

function parseRichQuery(
  pairs: QueryPairs,
  nowMs: number,
  bounds: { readonly min: number; readonly max: number },
): QueryReading<RichQuery> {
  const values = lastValues(pairs);
  const startText = values.get('start_time');
  const startMs = startText === undefined ? nowMs - richListingSpanDefaultMs : readStartTime(startText);
  const maxResults = readMaxResults(values.get('max_results'), bounds, richInboxPageDefault);
  const continueFrom = readContinueFrom(values.get('continue_from'));
  if (isDetail(startMs) || isDetail(maxResults) || isDetail(continueFrom)) {
    return failed([startMs, maxResults, continueFrom]);
  }
  return { ok: true, query: { startMs, startText, maxResults, continueFrom } };
}

function readMaxResults(
  raw: string | undefined,
  bounds: { readonly min: number; readonly max: number },
  byDefault: number,
): Field<number> {
  return raw === undefined ? byDefault : readInteger(raw, ['query', 'max_results'], bounds);
}

function readContinueFrom(raw: string | undefined): Field<string | undefined> {
  const loc = ['query', 'continue_from'] as const;
  // Some clients always send the parameter and leave it empty on the first page.
  if (raw === undefined || raw === '') return undefined;
  if (raw.length < continueFromLengthMin) return tooShort(loc, continueFromLengthMin, raw);
  return raw.length > continueFromLengthMax ? tooLong(loc, continueFromLengthMax, raw) : raw;
}

function readWorkflowFilterText(raw: string | undefined): Field<string | undefined> {
  const loc = ['query', 'workflow_filter'] as const;
  if (raw === undefined || raw === '') return undefined;
  if (raw.length < workflowFilterLengthMin) return tooShort(loc, workflowFilterLengthMin, raw);
  return raw.length > workflowFilterLengthMax ? tooLong(loc, workflowFilterLengthMax, raw) : raw;
}

function readStartTime(raw: string): Field<number> {
  return parseIsoInstant(raw) ?? notADateTime(['query', 'start_time'], raw);
}

function lastValues(pairs: QueryPairs): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of pairs) values.set(name, value);
  return values;
}

function isDetail(field: Field<string | number | undefined>): field is ValidationDetail {
  return typeof field === 'object';
}

function failed(fields: readonly Field<string | number | undefined>[]) {
  return { ok: false, failure: { kind: 'validation', details: fields.filter(isDetail) } } as const;
}
