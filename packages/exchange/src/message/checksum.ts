import { createHash } from 'node:crypto';

export type ChecksumFinding =
  /** The text names no digest we know: it was passed on unread, as the service always did. */
  | 'opaque'
  | 'match'
  | 'mismatch'
  /** A digest we know but did not make of these bytes. */
  | 'not-checked';

/** What is known of the bytes: all of them, or only their digest when they were streamed. */
export type DigestedBytes = { readonly bytes: Uint8Array } | { readonly sha256Hex: string };

type Algorithm = 'md5' | 'sha256';

interface Stated {
  readonly algorithm: Algorithm;
  /** Lower-case hexadecimal digits. */
  readonly hex: string;
}

const hexLengths: Readonly<Record<number, Algorithm>> = { 32: 'md5', 64: 'sha256' };
const base64Lengths: Readonly<Record<number, Algorithm>> = { 22: 'md5', 43: 'sha256' };
const label = /^(?:md5|sha-?256)\s*[:-]\s*/i;

/**
 * Compares a `Mex-Content-Checksum` with the bytes of a message sent in one request, when it is a recognisable digest:
 * MD5 or SHA-256, in hex, or in base64 after a label such as `sha256:` or `md5 - `. The header has no room for the
 * signs `=` and `+`, so base64 comes without its padding, and without a label it could be anything.
 */
export function checkChecksum(checksum: string, digested: DigestedBytes): ChecksumFinding {
  const stated = readChecksum(checksum);
  if (stated === undefined) return 'opaque';
  if ('bytes' in digested) {
    const hex = createHash(stated.algorithm).update(digested.bytes).digest('hex');
    return hex === stated.hex ? 'match' : 'mismatch';
  }
  if (stated.algorithm === 'md5') return 'not-checked';
  return digested.sha256Hex === stated.hex ? 'match' : 'mismatch';
}

function readChecksum(checksum: string): Stated | undefined {
  const text = checksum.trim();
  const value = text.replace(label, '').replace(/=+$/, '');
  if (/^[0-9a-f]+$/i.test(value)) {
    const algorithm = hexLengths[value.length];
    if (algorithm !== undefined) return { algorithm, hex: value.toLowerCase() };
  }
  const algorithm = base64Lengths[value.length];
  if (algorithm === undefined || !label.test(text) || !/^[A-Za-z0-9+/]+$/.test(value)) return undefined;
  return { algorithm, hex: Buffer.from(value, 'base64').toString('hex') };
}
