// Header text is bytes, one Latin-1 character for each, and passes through untouched. Only where text comes from a file
// or goes to a person does it have to become, or be read from, such bytes.

const BEYOND_LATIN_1 = /[\u0100-\uffff]/;

/**
 * Text of a file or form as a header can carry it: Latin-1 as it is, any other text as the bytes of its UTF-8, line ends
 * and other control characters as spaces, so that no header can be smuggled in.
 */
export function toHeaderText(text: string): string {
  const safe = Array.from(text, (character) => (isControl(character) ? ' ' : character)).join('');
  if (!BEYOND_LATIN_1.test(safe)) return safe;
  return encodeURIComponent(safe.toWellFormed()).replace(/%([0-9A-F]{2})/g, (_escape, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** Header text as a person should see it: as UTF-8 when its bytes are that, else as Latin-1. */
export function fromHeaderText(wire: string): string {
  const escaped = wire.replace(/[%\u0080-\u00ff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
  try {
    return decodeURIComponent(escaped);
  } catch (error) {
    if (error instanceof URIError) return wire;
    throw error;
  }
}

function isControl(character: string): boolean {
  return character < ' ' || character === '\u007f';
}
