/** Text of a file, and what had to be guessed about it. */
export interface DecodedText {
  readonly text: string;
  readonly encoding: string;
  /** The bytes are not the UTF-8 they were taken for first, so they were read as windows-1252. */
  readonly guessed: boolean;
}

const declaration = /^<\?xml[^>]*\bencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']/;

/**
 * Reads the bytes of a configuration or control file: a byte order mark decides, else the XML declaration, else strict
 * UTF-8, and bytes that are not UTF-8 are windows-1252, the code page such files were saved under.
 */
export function decodeText(bytes: Uint8Array): DecodedText {
  const marked = byMark(bytes);
  if (marked !== undefined) return { text: decode(bytes, marked), encoding: marked, guessed: false };
  const declared = declaration.exec(Buffer.from(bytes.subarray(0, 200)).toString('latin1'))?.[1]?.toLowerCase();
  // UTF-16 without a mark cannot have been read as far as its own declaration.
  if (declared !== undefined && declared !== 'utf-8' && !declared.startsWith('utf-16') && isKnown(declared)) {
    return { text: decode(bytes, declared), encoding: declared, guessed: false };
  }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), encoding: 'utf-8', guessed: false };
  } catch {
    return { text: decode(bytes, 'windows-1252'), encoding: 'windows-1252', guessed: true };
  }
}

function byMark(bytes: Uint8Array): string | undefined {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8';
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  return undefined;
}

function isKnown(encoding: string): boolean {
  try {
    return new TextDecoder(encoding).encoding !== '';
  } catch {
    return false;
  }
}

/** The decoder takes a byte order mark away. */
function decode(bytes: Uint8Array, encoding: string): string {
  return new TextDecoder(encoding).decode(bytes);
}
