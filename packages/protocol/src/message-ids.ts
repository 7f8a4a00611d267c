import type { MessageId } from './identifiers.ts';
import { compactUtc, compactUtcMillis } from './timestamps.ts';

/** Where message ids get their time (microseconds since 1970 UTC) and their tail (six hexadecimal digits). */
export interface MessageIdSource {
  nowMicros(): bigint | number;
  randomHex6(): string;
}

/** Where internal ids get their time (milliseconds since 1970 UTC) and their tail (eight hexadecimal digits). */
export interface InternalIdSource {
  nowMs(): number;
  randomHex8(): string;
}

const MICROS_PER_SECOND = 1_000_000;
const hex6 = /^[0-9A-F]{6}$/;
const hex8 = /^[0-9a-f]{8}$/;

/**
 * Makes `yyyyMMddHHmmssffffff_XXXXXX`. The time part strictly increases within the process even when the clock stands
 * still or steps back, so ids sort in the order they were made and never repeat here; the random tail keeps two
 * processes apart. Throws a RangeError when the source breaks its promise.
 */
export function createMessageIds(source: MessageIdSource): () => MessageId {
  let lastMicros = -1;
  let secondOfPrefix = -1;
  let prefix = '';
  return () => {
    const now = Math.floor(Number(source.nowMicros()));
    if (!Number.isSafeInteger(now) || now < 0) throw new RangeError('the clock of message ids is not a time');
    lastMicros = Math.max(now, lastMicros + 1);
    const second = Math.floor(lastMicros / MICROS_PER_SECOND);
    // Many ids share a second; its fourteen digits are worth keeping on the hot path.
    if (second !== secondOfPrefix) {
      prefix = compactUtc(second * 1000);
      secondOfPrefix = second;
    }
    const fraction = String(lastMicros % MICROS_PER_SECOND).padStart(6, '0');
    return `${prefix}${fraction}_${checkedTail(source.randomHex6().toUpperCase(), hex6)}` as MessageId;
  };
}

/** Makes `yyyyMMddHHmmssfff_` and eight lower-case hexadecimal digits, the form of internal and query ids. */
export function createInternalIds(source: InternalIdSource): () => string {
  return () => `${compactUtcMillis(source.nowMs())}_${checkedTail(source.randomHex8().toLowerCase(), hex8)}`;
}

function checkedTail(tail: string, pattern: RegExp): string {
  if (!pattern.test(tail)) throw new RangeError('the random tail of an id is not hexadecimal digits of its length');
  return tail;
}
