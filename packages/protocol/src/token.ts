import { isDigits, isVisibleAscii, trimBlanks } from './ascii.ts';
import type { MailboxId } from './identifiers.ts';
import {
  nonceCountLengthMax,
  nonceLengthMax,
  tokenHashLengthMax,
  tokenTimestampLengthMax,
  tokenWindowMs,
} from './limits.ts';
import { compactUtc, parseCompactMinute } from './timestamps.ts';

/** The five elements of an Authorization header, read but not yet proved. */
export interface Token {
  readonly mailbox: MailboxId;
  readonly nonce: string;
  /** As sent: leading zeros are part of what was hashed. */
  readonly nonceCount: string;
  /** As sent; `parseTokenTimestamp` reads it. */
  readonly timestamp: string;
  /** Lower-cased, so that it may be compared byte for byte. */
  readonly hash: string;
}

/** Why a header was refused: `error` is what the caller is told, `reason` is for the record of the mailbox's owner. */
export interface AuthRefusal {
  readonly error: 'authorization-unreadable' | 'token-mailbox-mismatch';
  readonly reason: AuthRefusalReason;
}

export type AuthRefusalReason =
  | 'header-missing'
  | 'mailbox-differs-from-path'
  | 'not-five-elements'
  | 'nonce-unusable'
  | 'nonce-count-not-digits'
  | 'timestamp-unusable'
  | 'hash-unusable';

export type AuthorizationReading =
  | { readonly ok: true; readonly token: Token }
  | { readonly ok: false; readonly refusal: AuthRefusal };

const SCHEME = 'NHSMESH';
const COLON = 0x3a;

/**
 * Reads an Authorization header as checks 1 to 4 of the token order demand: present; scheme dropped in any case, or
 * absent; first element equal to the mailbox of the path, which comes before any count of elements so that a caller who
 * sends garbage learns nothing else; then exactly five usable elements. The clock, the mailbox, the hash and the nonce
 * are the server's to check.
 */
export function parseAuthorization(header: string | undefined, pathMailbox: MailboxId): AuthorizationReading {
  const text = header === undefined ? '' : trimBlanks(header);
  if (text === '') return refuse('authorization-unreadable', 'header-missing');
  const mailboxEnd = endOfMailbox(text, pathMailbox);
  if (mailboxEnd === -1) return refuse('token-mailbox-mismatch', 'mailbox-differs-from-path');
  const nonceEnd = text.indexOf(':', mailboxEnd + 1);
  const countEnd = nonceEnd === -1 ? -1 : text.indexOf(':', nonceEnd + 1);
  const timestampEnd = countEnd === -1 ? -1 : text.indexOf(':', countEnd + 1);
  if (timestampEnd === -1 || text.includes(':', timestampEnd + 1)) {
    return refuse('authorization-unreadable', 'not-five-elements');
  }
  const nonce = text.slice(mailboxEnd + 1, nonceEnd);
  if (!isVisibleAscii(nonce, nonceLengthMax)) return refuse('authorization-unreadable', 'nonce-unusable');
  const nonceCount = text.slice(nonceEnd + 1, countEnd);
  if (!isDigits(nonceCount, nonceCountLengthMax)) return refuse('authorization-unreadable', 'nonce-count-not-digits');
  const timestamp = text.slice(countEnd + 1, timestampEnd);
  if (timestamp.length > tokenTimestampLengthMax) return refuse('authorization-unreadable', 'timestamp-unusable');
  const hash = text.slice(timestampEnd + 1);
  if (hash.length > tokenHashLengthMax) return refuse('authorization-unreadable', 'hash-unusable');
  return { ok: true, token: { mailbox: pathMailbox, nonce, nonceCount, timestamp, hash: hash.toLowerCase() } };
}

/**
 * Checks 1 to 3 alone, for a sandbox that believes a certain nonce: the second element, empty where there is none. What
 * else the header says, or that it says nothing else, does not matter.
 */
export function parseNonce(
  header: string | undefined,
  pathMailbox: MailboxId,
): { readonly ok: true; readonly nonce: string } | { readonly ok: false; readonly refusal: AuthRefusal } {
  const text = header === undefined ? '' : trimBlanks(header);
  if (text === '') return refuse('authorization-unreadable', 'header-missing');
  const mailboxEnd = endOfMailbox(text, pathMailbox);
  if (mailboxEnd === -1) return refuse('token-mailbox-mismatch', 'mailbox-differs-from-path');
  const [nonce = ''] = text.slice(mailboxEnd + 1).split(':', 1);
  return { ok: true, nonce };
}

/** The elements whose HMAC-SHA256 is the hash; the password is in this message only, never on the wire. */
export interface TokenMessageParts {
  readonly mailbox: string;
  readonly nonce: string;
  readonly nonceCount: string;
  readonly password: string;
  readonly timestamp: string;
}

/**
 * The text to sign: HMAC-SHA256 of its UTF-8 bytes, keyed with the UTF-8 bytes of the environment's shared key, written
 * as lower-case hexadecimal digits.
 */
export function tokenMessage(parts: TokenMessageParts): string {
  return `${parts.mailbox}:${parts.nonce}:${parts.nonceCount}:${parts.password}:${parts.timestamp}`;
}

/** The header value of a signed token. */
export function formatAuthorization(token: Omit<Token, 'mailbox'> & { readonly mailbox: string }): string {
  return `${SCHEME} ${token.mailbox}:${token.nonce}:${token.nonceCount}:${token.timestamp}:${token.hash}`;
}

/** Milliseconds since 1970 of a token's `yyyyMMddHHmm` in UTC; undefined when it is not such a minute. */
export function parseTokenTimestamp(raw: string): number | undefined {
  return parseCompactMinute(raw);
}

/** `yyyyMMddHHmm` in UTC of `ms`, the seconds dropped. */
export function formatTokenTimestamp(ms: number): string {
  return compactUtc(ms).slice(0, 12);
}

/** True when a token stamped `timestampMs` may be used at `nowMs`: up to two hours either way, both ends included. */
export function isWithinTokenWindow(timestampMs: number, nowMs: number): boolean {
  return Math.abs(nowMs - timestampMs) <= tokenWindowMs;
}

/** Where the first element ends, the scheme dropped; -1 when it is not the mailbox of the path. */
function endOfMailbox(text: string, pathMailbox: MailboxId): number {
  const start = startsWithScheme(text) ? SCHEME.length + 1 : 0;
  const end = start + pathMailbox.length;
  const isPathMailbox = text.startsWith(pathMailbox, start) && (text.length === end || text.charCodeAt(end) === COLON);
  return isPathMailbox ? end : -1;
}

function refuse(
  error: AuthRefusal['error'],
  reason: AuthRefusalReason,
): { readonly ok: false; readonly refusal: AuthRefusal } {
  return { ok: false, refusal: { error, reason } };
}

function startsWithScheme(text: string): boolean {
  return text.startsWith(SCHEME) || text.slice(0, SCHEME.length).toLowerCase() === 'nhsmesh';
}
