import { ownText } from './own-text.ts';

/** How the end of a request's body is found (RFC 9112, section 6). */
export type Framing = { readonly kind: 'length'; readonly bytes: number } | { readonly kind: 'chunked' };

/** A request's first part, read whole. */
export interface RequestHead {
  readonly method: string;
  /** As written, but for the scheme and authority of an absolute one: a path with its query, most often. */
  readonly target: string;
  readonly minorVersion: 0 | 1;
  /** By lower-case name; bytes above 0x7f as Latin-1 characters. */
  readonly headers: ReadonlyMap<string, string>;
  readonly framing: Framing;
  /** Whether the caller stated a length; without one and without chunks there is no body. */
  readonly lengthDeclared: boolean;
  /** Whether the caller expects the connection to live on after the answer. */
  readonly keepAlive: boolean;
  readonly expectsContinue: boolean;
}

export type HeadFault = 'malformed-request' | 'headers-too-large';

/** Lines of headers in one request. */
const headerLinesMax = 2000;
/** Names remembered with their lower-case spelling, and characters of one; clients use a few dozen, none longer. */
const namesMax = 1024;
const nameLengthMax = 64;

const requestLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}) ([\x21-\x7e]+) HTTP\/1\.([01])$/;
const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What no head may hold: controls but the tab, and line ends that are not CR LF. */
const forbidden = /[^\t\r\n\x20-\x7e\x80-\xff]|\r(?!\n)|(?<!\r)\n/;
const digits = /^[0-9]+$/;
/** What stands before the path where a caller writes a whole URL, as to a proxy (RFC 9112, section 3.2.2). */
const absolute = /^https?:\/\/[^/?#]*/i;

/** Of these a second one is dropped: joined by a comma it would be neither. */
const firstWins: ReadonlySet<string> = new Set([
  'authorization',
  'content-type',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'max-forwards',
  'proxy-authorization',
  'referer',
  'user-agent',
]);

const knownNames = new Map<string, string>();

/** The lower-case spelling of a header's name; undefined when it is not a name. */
function lowerName(raw: string): string | undefined {
  const known = knownNames.get(raw);
  if (known !== undefined) return known;
  if (!headerName.test(raw)) return undefined;
  const lower = raw.toLowerCase();
  if (knownNames.size < namesMax && raw.length <= nameLengthMax) knownNames.set(ownText(raw), ownText(lower));
  return lower;
}

/** Without blanks at either end. Not `trim`, which would also take a Latin-1 no-break space. */
function withoutBlanks(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/**
 * Reads a head, given as Latin-1 text without the empty line that ends it. Stricter than RFC 9112 allows wherever two
 * readers could differ: a length said twice, a length beside chunks, any transfer coding but chunked, folded lines, bare
 * line ends and blanks before the colon are all refused.
 */
export function parseRequestHead(text: string): RequestHead | HeadFault {
  if (forbidden.test(text)) return 'malformed-request';
  const lineEnd = text.indexOf('\r\n');
  const line = requestLine.exec(lineEnd < 0 ? text : text.slice(0, lineEnd));
  if (line === null) return 'malformed-request';
  const [, method = '', target = '', minor] = line;
  const headers = lineEnd < 0 ? new Map<string, string>() : parseHeaders(text, lineEnd + 2);
  if (typeof headers === 'string') return headers;
  const minorVersion = minor === '0' ? 0 : 1;
  const framing = framingOf(headers, minorVersion);
  if (framing === undefined) return 'malformed-request';
  const connection = headers.get('connection')?.toLowerCase();
  return {
    method,
    target: target.startsWith('/') ? target : target.replace(absolute, ''),
    minorVersion,
    headers,
    framing,
    lengthDeclared: headers.has('content-length'),
    keepAlive: minorVersion === 1 ? !says(connection, 'close') : says(connection, 'keep-alive'),
    expectsContinue: minorVersion === 1 && headers.get('expect')?.toLowerCase() === '100-continue',
  };
}

function says(list: string | undefined, word: string): boolean {
  return list !== undefined && (list === word || list.split(',').some((item) => item.trim() === word));
}

function parseHeaders(text: string, start: number): Map<string, string> | HeadFault {
  const headers = new Map<string, string>();
  let lines = 0;
  for (let at = start; at < text.length; ) {
    const found = text.indexOf('\r\n', at);
    const end = found < 0 ? text.length : found;
    const colon = text.indexOf(':', at);
    if (colon < 0 || colon > end) return 'malformed-request';
    const name = lowerName(text.slice(at, colon));
    if (name === undefined) return 'malformed-request';
    lines += 1;
    if (lines > headerLinesMax) return 'headers-too-large';
    const value = withoutBlanks(text, colon + 1, end);
    const earlier = headers.get(name);
    if (earlier === undefined) headers.set(name, value);
    else if (name === 'content-length' || name === 'transfer-encoding') return 'malformed-request';
    else if (!firstWins.has(name)) headers.set(name, `${earlier}, ${value}`);
    at = end + 2;
  }
  return headers;
}

function framingOf(headers: ReadonlyMap<string, string>, minorVersion: 0 | 1): Framing | undefined {
  const length = headers.get('content-length');
  const coding = headers.get('transfer-encoding');
  if (coding !== undefined) {
    if (length !== undefined || minorVersion === 0 || coding.toLowerCase() !== 'chunked') return undefined;
    return { kind: 'chunked' };
  }
  if (length === undefined) return { kind: 'length', bytes: 0 };
  const bytes = Number(length);
  return digits.test(length) && Number.isSafeInteger(bytes) ? { kind: 'length', bytes } : undefined;
}
