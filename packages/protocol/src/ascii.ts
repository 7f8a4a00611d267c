// Unicode case folding and Unicode white space would let two different byte strings name one mailbox ('ſ' upper-cases
// to 'S'), so identifiers and keywords are folded and trimmed over ASCII only.

const SPACE = 0x20;
const TAB = 0x09;
const DELETE = 0x7f;

/** `text` without leading and trailing spaces and tabs; other white space is left for the grammar to refuse. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/** `text` with `a`–`z` upper-cased and every other character untouched, so that Latin-1 text keeps its bytes. */
export function upperCaseAscii(text: string): string {
  return isAscii(text) ? text.toUpperCase() : text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

/** `text` with `A`–`Z` lower-cased and every other character untouched. */
export function lowerCaseAscii(text: string): string {
  return isAscii(text) ? text.toLowerCase() : text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** True when `text` holds a character in 0x00–0x1F, TAB included, or 0x7F, which HTTP allows in no header either. */
export function hasControlCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < SPACE || code === DELETE) return true;
  }
  return false;
}

/** True when `text` is one to `lengthMax` characters of 0x21–0x7E. */
export function isVisibleAscii(text: string, lengthMax: number): boolean {
  if (text.length === 0 || text.length > lengthMax) return false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code <= SPACE || code > 0x7e) return false;
  }
  return true;
}

/** True when `text` is one to `lengthMax` of the digits 0–9. */
export function isDigits(text: string, lengthMax: number): boolean {
  if (text.length === 0 || text.length > lengthMax) return false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) > 0x7f) return false;
  }
  return true;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
