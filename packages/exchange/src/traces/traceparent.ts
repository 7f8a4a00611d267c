import type { SpanLink } from './span.ts';

const shape = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;
const nothing = /^0+$/;

/**
 * Reads a caller's `traceparent` (W3C Trace Context, version 00): undefined for anything that is not exactly one. It is
 * the caller's word, so that it becomes a link and never a parent, and decides nothing; `tracestate` is not read.
 */
export function readTraceparent(value: string | undefined): SpanLink | undefined {
  const [, traceId, spanId] = shape.exec(value ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || nothing.test(traceId) || nothing.test(spanId)) return undefined;
  return { traceId, spanId };
}
