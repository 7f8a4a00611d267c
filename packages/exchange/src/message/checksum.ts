import { createHash } from 'node:crypto';

export type ChecksumFinding =
  /** The text names no digest we know: it was passed on unread, as the service always did. */
  'opaque' | 'match' | 'mismatch';

const hexLengths: Readonly<Record<number, 'md5' | 'sha256'>> = { 32: 'md5', 64: 'sha256' };
const base64Lengths: Readonly<Record<number, 'md5' | 'sha256'>> = { 24: 'md5', 44: 'sha256' };

/**
 * Compares a `Mex-Content-Checksum` with the bytes of a message sent in one request, when it is a recognisable digest:
 * MD5 or SHA-256, in hex or base64, bare or after a label such as `sha256:` or `md5 - `.
 */
export function checkChecksum(checksum: string, bytes: Uint8Array): ChecksumFinding {
  const value = checksum.trim().replace(/^(md5|sha-?256)\s*[:-]\s*/i, '');
  const isHex = /^[0-9a-f]+$/i.test(value);
  const algorithm = isHex ? hexLengths[value.length] : base64Lengths[value.length];
  if (algorithm === undefined || (!isHex && !/^[A-Za-z0-9+/]+={0,2}$/.test(value))) return 'opaque';
  const digest = createHash(algorithm).update(bytes);
  const matches = isHex ? digest.digest('hex') === value.toLowerCase() : digest.digest('base64') === value;
  return matches ? 'match' : 'mismatch';
}

/** The same where only the SHA-256 of the bytes is at hand (they were streamed): an MD5 cannot be judged. */
export function checkStreamedChecksum(checksum: string, sha256Hex: string): ChecksumFinding {
  const value = checksum.trim().replace(/^sha-?256\s*[:-]\s*/i, '');
  if (/^[0-9a-f]{64}$/i.test(value)) return value.toLowerCase() === sha256Hex ? 'match' : 'mismatch';
  if (value.length === 44 && /^[A-Za-z0-9+/]+=$/.test(value)) {
    return Buffer.from(value, 'base64').toString('hex') === sha256Hex ? 'match' : 'mismatch';
  }
  return 'opaque';
}
