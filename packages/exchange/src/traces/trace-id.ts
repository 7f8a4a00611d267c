import { createHash } from 'node:crypto';

/** Where everything about one message is gathered: the same on every node, on every day, without asking anybody. */
export interface MessageTrace {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** 16 lower-case hex digits: the span that the message began with, and the parent of all others. */
  readonly rootSpanId: string;
}

/**
 * The trace of a message, by its canonical id: the first 16 bytes of the id's SHA-256 are the trace id, the next 8 the
 * root's span id.
 */
export function traceOf(messageId: string): MessageTrace {
  const digest = createHash('sha256').update(messageId).digest('hex');
  return { traceId: digest.slice(0, 32), rootSpanId: digest.slice(32, 48) };
}

const randomDigits = 14;
const randomRange = 16 ** randomDigits;

/**
 * Whether a trace belongs to the share that is sent: all of a message's spans or none, whoever makes them. Its last 56
 * bits are compared, as samplers of OpenTelemetry compare them, so that a collector which samples again takes a part of
 * ours and not a part of a part.
 */
export function isSampled(traceId: string, share: number): boolean {
  return Number.parseInt(traceId.slice(-randomDigits), 16) >= (1 - share) * randomRange;
}
