import { isDigits, trimBlanks } from './ascii.ts';
import { gpAddressPrefix } from './gp-address.ts';
import { chunksMax, mailboxIdLengthMax, messageIdLengthMax } from './limits.ts';

declare const brand: unique symbol;

/** A mailbox id in its one canonical form: upper case, grammar checked, never a routing expression. */
export type MailboxId = string & { readonly [brand]: 'MailboxId' };
/** A message id in its canonical form: upper case letters, digits and underscores. */
export type MessageId = string & { readonly [brand]: 'MessageId' };
/** A workflow id as sent, trimmed; case matters and spaces may occur. */
export type WorkflowId = string & { readonly [brand]: 'WorkflowId' };
/** The position of a chunk in its message, counted from 1. */
export type ChunkNumber = number & { readonly [brand]: 'ChunkNumber' };

/** Top-level words of the URL space, which would shadow a mailbox of that name. */
const reservedWords: ReadonlySet<string> = new Set([
  '_PING',
  'DEEPPING',
  'ENDPOINTLOOKUP',
  'WORKFLOWSEARCH',
  'MAILBOX',
  'ADMIN',
]);

const UNDERSCORE = 0x5f;

/**
 * The one canonicaliser of mailbox ids: trims blanks, upper-cases ASCII, checks `[A-Z0-9][A-Z0-9_.-]{0,99}`. Undefined
 * for anything else, for the reserved words of the URL space, and for `GPPROVIDER_…` expressions, which carry patient
 * data and must never pass for an id that may be logged.
 */
export function parseMailboxId(raw: string): MailboxId | undefined {
  const text = trimBlanks(raw);
  if (text.length === 0 || text.length > mailboxIdLengthMax) return undefined;
  let hasLowerCase = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (isUpperCaseOrDigit(code)) continue;
    if (code >= 0x61 && code <= 0x7a) hasLowerCase = true;
    else if (index === 0 || !isMailboxPunctuation(code)) return undefined;
  }
  const id = hasLowerCase ? text.toUpperCase() : text;
  return reservedWords.has(id) || id.startsWith(gpAddressPrefix) ? undefined : (id as MailboxId);
}

/** Upper-cases a message id and checks `[A-Z0-9_]{1,100}`; undefined for anything else. Blanks are not trimmed. */
export function parseMessageId(raw: string): MessageId | undefined {
  if (raw.length === 0 || raw.length > messageIdLengthMax) return undefined;
  let hasLowerCase = false;
  for (let index = 0; index < raw.length; index += 1) {
    const code = raw.charCodeAt(index);
    if (isUpperCaseOrDigit(code) || code === UNDERSCORE) continue;
    if (code < 0x61 || code > 0x7a) return undefined;
    hasLowerCase = true;
  }
  return (hasLowerCase ? raw.toUpperCase() : raw) as MessageId;
}

/** A decimal integer from 1 to 10,000, leading zeros allowed; undefined otherwise (the caller answers 400). */
export function parseChunkNumber(raw: string): ChunkNumber | undefined {
  if (!isDigits(raw, 10)) return undefined;
  const value = Number(raw);
  return value >= 1 && value <= chunksMax ? (value as ChunkNumber) : undefined;
}

function isUpperCaseOrDigit(code: number): boolean {
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x30 && code <= 0x39);
}

function isMailboxPunctuation(code: number): boolean {
  return code === UNDERSCORE || code === 0x2d || code === 0x2e;
}
