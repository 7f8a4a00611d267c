import { hasControlCharacter, lowerCaseAscii, trimBlanks, upperCaseAscii } from './ascii.ts';
import { type ChunkRange, parseChunkRange } from './chunk-range.ts';
import type { ErrorName } from './errors.ts';
import { type MailboxId, parseMailboxId } from './identifiers.ts';
import { contentTypeLengthMax, sendHeaderLengthMax } from './limits.ts';
import type { Profile } from './profile.ts';
import {
  errorFailure,
  maskedInput,
  missing,
  type RequestFailure,
  tooLong,
  tooShort,
  type ValidationDetail,
} from './validation.ts';

/** The value of a request header by its lower-case name; text is Latin-1, one character for each byte. */
export type HeaderLookup = (lowerCaseName: string) => string | undefined;

/** How a body is encoded on the wire; empty when it is sent as it is. */
export type ContentEncoding = 'gzip' | '';

/** What the headers of a first (or only) chunk say, in canonical form. Texts given empty count as not given. */
export interface SendHeaders {
  /** Trimmed and upper-cased; may be a routing expression, which is personal data. */
  readonly to: string;
  /** Undefined when `to` cannot be a mailbox. */
  readonly toMailbox: MailboxId | undefined;
  /** Trimmed, case kept; empty only in the sandbox profile. */
  readonly workflowId: string;
  readonly subject: string | undefined;
  readonly localId: string | undefined;
  readonly fileName: string | undefined;
  readonly partnerId: string | undefined;
  readonly checksum: string | undefined;
  readonly contentType: string | undefined;
  readonly compressed: boolean;
  readonly encrypted: boolean;
  readonly contentEncoding: ContentEncoding;
  readonly totalChunks: number;
}

export type SendFailure = RequestFailure;

export interface SendContext {
  readonly sender: MailboxId;
  readonly profile: Profile;
}

export type SendHeadersReading =
  | { readonly ok: true; readonly send: SendHeaders }
  | { readonly ok: false; readonly failure: SendFailure };

type LimitedHeader = keyof typeof sendHeaderLengthMax;
type RawHeaders = Readonly<Record<LimitedHeader, string | undefined>>;

const controlCheckedHeaders: readonly LimitedHeader[] = [
  'mex-to',
  'mex-workflowid',
  'mex-chunk-range',
  'mex-subject',
  'mex-localid',
  'mex-partnerid',
  'mex-filename',
  'mex-content-checksum',
  'mex-content-type',
];
const notUrlHeaders: readonly LimitedHeader[] = ['mex-to', 'mex-workflowid', 'mex-content-checksum'];
const limitedHeaders = Object.keys(sendHeaderLengthMax) as readonly LimitedHeader[];

/**
 * Reads the headers of `POST …/outbox`, evaluating every failure that they alone can show, in the order of the
 * specification. Whether the recipient exists, the body is empty or too large is for the exchange to find.
 */
export function parseSendHeaders(header: HeaderLookup, context: SendContext): SendHeadersReading {
  const raw = readRaw(header);
  const contentEncoding = parseContentEncoding(header('content-encoding'));
  const namedType = trimBlanks(raw['mex-content-type'] ?? '');
  const bodyType = namedType === '' ? trimBlanks(header('content-type') ?? '') : '';
  const range = readSendRange(raw['mex-chunk-range']);
  const failure =
    malformedHeader(raw) ??
    invalidFields(raw, bodyType, context.profile) ??
    invalidMeaning(raw, header('mex-messagetype'), context) ??
    (contentEncoding === 'unsupported' ? errorFailure('unsupported-content-encoding') : undefined);
  if (failure !== undefined) return { ok: false, failure };
  if (range === undefined) return { ok: false, failure: errorFailure('invalid-chunk-range') };
  const to = upperCaseAscii(trimBlanks(raw['mex-to'] ?? ''));
  const send: SendHeaders = {
    to,
    toMailbox: parseMailboxId(to),
    workflowId: trimBlanks(raw['mex-workflowid'] ?? ''),
    subject: raw['mex-subject'] || undefined,
    localId: raw['mex-localid'] || undefined,
    fileName: raw['mex-filename'] || undefined,
    partnerId: raw['mex-partnerid'] || undefined,
    checksum: raw['mex-content-checksum'] || undefined,
    contentType: namedType || bodyType || undefined,
    compressed: parseBoolean(raw['mex-content-compressed']),
    encrypted: parseBoolean(raw['mex-content-encrypted']),
    contentEncoding: contentEncoding === 'gzip' ? 'gzip' : '',
    totalChunks: range.total,
  };
  return { ok: true, send };
}

/** `y yes t true on 1` in any case, blanks around them dropped, are true; everything else is false and never an error. */
export function parseBoolean(raw: string | undefined): boolean {
  if (raw === undefined || raw === '') return false;
  switch (lowerCaseAscii(trimBlanks(raw))) {
    case 'y':
    case 'yes':
    case 't':
    case 'true':
    case 'on':
    case '1':
      return true;
    default:
      return false;
  }
}

/** The encoding a `Content-Encoding` header names, in any case; `identity` is none. */
export function parseContentEncoding(raw: string | undefined): ContentEncoding | 'unsupported' {
  if (raw === undefined || raw === '') return '';
  switch (lowerCaseAscii(trimBlanks(raw))) {
    case 'gzip':
      return 'gzip';
    case '':
    case 'identity':
      return '';
    default:
      return 'unsupported';
  }
}

function readRaw(header: HeaderLookup): RawHeaders {
  return {
    'mex-to': header('mex-to'),
    'mex-workflowid': header('mex-workflowid'),
    'mex-from': header('mex-from'),
    'mex-chunk-range': header('mex-chunk-range'),
    'mex-subject': header('mex-subject'),
    'mex-localid': header('mex-localid'),
    'mex-filename': header('mex-filename'),
    'mex-partnerid': header('mex-partnerid'),
    'mex-content-compressed': header('mex-content-compressed'),
    'mex-content-encrypted': header('mex-content-encrypted'),
    'mex-content-checksum': header('mex-content-checksum'),
    'mex-content-type': header('mex-content-type'),
  };
}

function malformedHeader(raw: RawHeaders): SendFailure | undefined {
  for (const name of controlCheckedHeaders) {
    const value = raw[name];
    if (value !== undefined && hasControlCharacter(value)) return errorFailure('malformed-headers');
  }
  for (const name of notUrlHeaders) {
    const value = raw[name];
    if (value !== undefined && isUrl(value)) return errorFailure('malformed-headers');
  }
  const checksum = raw['mex-content-checksum'];
  return checksum === undefined || hasChecksumCharactersOnly(checksum) ? undefined : errorFailure('invalid-checksum');
}

/** Every missing and over-long header at once, so that a caller need not find them one by one. */
function invalidFields(raw: RawHeaders, bodyType: string, profile: Profile): SendFailure | undefined {
  let details: ValidationDetail[] | undefined;
  for (const name of limitedHeaders) {
    const detail = invalidField(name, raw[name], profile);
    if (detail !== undefined) (details ??= []).push(detail);
  }
  if (bodyType.length > contentTypeLengthMax) {
    (details ??= []).push(tooLong(['header', 'content-type'], contentTypeLengthMax, maskedInput));
  }
  return details === undefined ? undefined : { kind: 'validation', details };
}

function invalidField(name: LimitedHeader, value: string | undefined, profile: Profile): ValidationDetail | undefined {
  if (value === undefined) {
    return name === 'mex-to' || name === 'mex-workflowid' ? missing(['header', name]) : undefined;
  }
  const isIgnored = name === 'mex-from' && profile === 'sandbox';
  const lengthMax = sendHeaderLengthMax[name];
  if (value.length > lengthMax && !isIgnored) return tooLong(['header', name], lengthMax, maskedInput);
  const isBlankWorkflow = name === 'mex-workflowid' && profile === 'live' && trimBlanks(value) === '';
  return isBlankWorkflow ? tooShort(['header', name], 1, '') : undefined;
}

function invalidMeaning(
  raw: RawHeaders,
  messageType: string | undefined,
  context: SendContext,
): SendFailure | undefined {
  const error = wrongRecipientSenderOrType(raw, messageType, context);
  return error === undefined ? undefined : errorFailure(error);
}

function wrongRecipientSenderOrType(
  raw: RawHeaders,
  messageType: string | undefined,
  { sender, profile }: SendContext,
): ErrorName | undefined {
  if (trimBlanks(raw['mex-to'] ?? '') === '') return 'missing-recipient';
  // The official sandbox ignores both headers, and people's test suites rely on that.
  if (profile === 'sandbox') return undefined;
  const from = trimBlanks(raw['mex-from'] ?? '');
  if (from !== '' && upperCaseAscii(from) !== sender) return 'invalid-sender';
  const type = trimBlanks(messageType ?? '');
  return type !== '' && upperCaseAscii(type) !== 'DATA' ? 'invalid-message-type' : undefined;
}

/** The range of a first chunk, `1:1` when none is given, undefined when it is not `1:m`. */
function readSendRange(raw: string | undefined): ChunkRange | undefined {
  if (raw === undefined || trimBlanks(raw) === '') return { chunk: 1, total: 1 };
  const range = parseChunkRange(raw);
  return range?.chunk === 1 ? range : undefined;
}

function isUrl(value: string): boolean {
  return /^ *https?:\/\//i.test(value);
}

function hasChecksumCharactersOnly(value: string): boolean {
  return /^[A-Za-z0-9:\-/ ]*$/.test(value);
}
