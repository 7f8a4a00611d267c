import { trimBlanks } from './ascii.ts';
import { type ChunkRange, parseChunkRange } from './chunk-range.ts';
import type { ChunkNumber } from './identifiers.ts';
import type { Profile } from './profile.ts';
import { type ContentEncoding, type HeaderLookup, parseContentEncoding } from './send-headers.ts';
import { errorFailure, type RequestFailure } from './validation.ts';

/** What the headers of a later chunk say. */
export interface ChunkHeaders {
  /** Undefined when the header is absent or blank, which the specification allows. */
  readonly range: ChunkRange | undefined;
  /**
   * `unsupported` is for the exchange to refuse as a changed encoding, which is the last of the chunk's checks: message,
   * sender and status come first.
   */
  readonly contentEncoding: ContentEncoding | 'unsupported';
}

export interface ChunkContext {
  readonly pathChunk: ChunkNumber;
  /** Both profiles read chunk headers alike today; a caller says which it is all the same. */
  readonly profile: Profile;
}

export type ChunkHeadersReading =
  | { readonly ok: true; readonly chunk: ChunkHeaders }
  | { readonly ok: false; readonly failure: RequestFailure };

/**
 * Reads the headers of `POST …/outbox/{id}/{n}`: a range that is malformed, is not about the chunk of the path, or whose
 * n is above its m is a 417. That its m is the message's total is for the exchange to check.
 */
export function parseChunkHeaders(header: HeaderLookup, context: ChunkContext): ChunkHeadersReading {
  const contentEncoding = parseContentEncoding(header('content-encoding'));
  const raw = header('mex-chunk-range');
  if (raw === undefined || trimBlanks(raw) === '') return { ok: true, chunk: { range: undefined, contentEncoding } };
  const range = parseChunkRange(raw);
  if (range === undefined || range.chunk !== context.pathChunk || range.chunk > range.total) {
    return { ok: false, failure: errorFailure('invalid-chunk-range') };
  }
  return { ok: true, chunk: { range, contentEncoding } };
}
