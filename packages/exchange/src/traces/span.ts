import type { MessageId } from '@openmesh/protocol';
import { isSampled, traceOf } from './trace-id.ts';

/** A number is a whole one: a collector that cannot read one value refuses everything that came with it. */
export type AttributeValue = string | number | readonly string[];
/** By name; what is undefined is left out. */
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
}

/** Something that happened to a message, complete. */
export interface Span {
  /** 32 and 16 lower-case hex digits. */
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  /** `server`: a request that was answered; `internal`: what the exchange did by itself. */
  readonly kind: 'internal' | 'server';
  /** Machine clock, milliseconds since 1970. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly links: readonly SpanLink[];
  readonly failed: boolean;
}

/** A span as whoever saw it happen describes it. Names and values are ids, codes and numbers: nothing a caller wrote. */
export interface Happening extends Pick<Span, 'name' | 'kind' | 'startMs' | 'endMs' | 'attributes'> {
  readonly about: MessageId;
  /** The first of its message's spans: every other one has it as its parent. */
  readonly isRoot?: boolean;
  readonly links?: readonly SpanLink[];
  readonly failed?: boolean;
}

/** Puts a happening into the trace of its message, if that is one of those that are sent. */
export type Tracer = (happening: Happening) => void;

export function createTracer(parts: {
  /** From 0 to 1, of all messages. */
  readonly share: number;
  /** 16 lower-case hex digits. */
  readonly newSpanId: () => string;
  readonly add: (span: Span) => void;
}): Tracer {
  return ({ about, isRoot = false, links = [], failed = false, attributes, ...what }) => {
    const { traceId, rootSpanId } = traceOf(about);
    if (!isSampled(traceId, parts.share)) return;
    parts.add({
      traceId,
      spanId: isRoot ? rootSpanId : parts.newSpanId(),
      parentSpanId: isRoot ? undefined : rootSpanId,
      ...what,
      attributes: { 'messaging.system': 'mesh', 'messaging.message.id': about, ...attributes },
      links,
      failed,
    });
  };
}

/** The first span of another message, to point to. */
export function rootOf(messageId: MessageId): SpanLink {
  const { traceId, rootSpanId: spanId } = traceOf(messageId);
  return { traceId, spanId };
}
