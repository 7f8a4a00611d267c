import { isVisibleAscii } from './ascii.ts';
import { idempotencyKeyLengthMax } from './limits.ts';

declare const brand: unique symbol;

/** What a sender calls one attempt to send, so that a repeat after a lost answer is not a second message. */
export type IdempotencyKey = string & { readonly [brand]: 'IdempotencyKey' };

/** 1–64 visible ASCII characters as sent; undefined for anything else. */
export function parseIdempotencyKey(raw: string): IdempotencyKey | undefined {
  return isVisibleAscii(raw, idempotencyKeyLengthMax) ? (raw as IdempotencyKey) : undefined;
}
