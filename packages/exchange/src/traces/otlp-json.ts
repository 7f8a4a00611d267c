import type { Attributes, AttributeValue, Span } from './span.ts';

// The JSON encoding of OTLP 1.x (opentelemetry.proto.collector.trace.v1): names in lower camel case, ids in hex, 64-bit
// numbers as text, enumerations as numbers.

const kinds = { internal: 1, server: 2 } as const;
const failedStatus = 2;

/** An `ExportTraceServiceRequest` with these spans, all of one resource. */
export function encodeSpans(
  spans: readonly Span[],
  resource: Attributes,
  scope: { name: string; version: string },
): string {
  return JSON.stringify({
    resourceSpans: [
      { resource: { attributes: encodeAttributes(resource) }, scopeSpans: [{ scope, spans: spans.map(encodeSpan) }] },
    ],
  });
}

function encodeSpan(span: Span): object {
  const { traceId, spanId, parentSpanId, name, kind, startMs, endMs, attributes, links, failed } = span;
  return {
    traceId,
    spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    name,
    kind: kinds[kind],
    startTimeUnixNano: nanoseconds(startMs),
    endTimeUnixNano: nanoseconds(endMs),
    attributes: encodeAttributes(attributes),
    ...(links.length === 0 ? {} : { links }),
    status: failed ? { code: failedStatus } : {},
  };
}

/** To the microsecond: more than that a number of milliseconds since 1970 does not hold. */
function nanoseconds(ms: number): string {
  return `${Math.round(ms * 1000)}000`;
}

function encodeAttributes(attributes: Attributes): readonly object[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: encodeValue(value) }],
  );
}

function encodeValue(value: AttributeValue): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'number') return { intValue: String(value) };
  return { arrayValue: { values: value.map(encodeValue) } };
}
