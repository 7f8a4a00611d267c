import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checkChecksum } from './checksum.ts';

const bytes = Buffer.from('payload');
const digestOf = (algorithm: string, encoding: 'hex' | 'base64'): string =>
  createHash(algorithm).update(bytes).digest(encoding);
const md5 = digestOf('md5', 'hex');
const sha256 = digestOf('sha256', 'hex');
const md5Base64 = digestOf('md5', 'base64').replaceAll('=', '');
const sha256Base64 = digestOf('sha256', 'base64').replaceAll('=', '');
const other = Buffer.from('another payload');
const streamed = { sha256Hex: sha256 };

describe('a checksum of a message sent in one request', () => {
  it.each([
    ['MD5 in hex', md5],
    ['MD5 in upper-case hex', md5.toUpperCase()],
    ['SHA-256 in hex', sha256],
    ['labelled MD5', `md5:${md5}`],
    ['labelled SHA-256', `SHA-256: ${sha256}`],
    ['labelled SHA-256 with blanks', ` sha256 - ${sha256} `],
    ['labelled MD5 in base64', `md5:${md5Base64}`],
    ['labelled SHA-256 in base64', `sha256:${sha256Base64}`],
  ])('is recognised as %s, matching or not', (_what, checksum) => {
    expect(checkChecksum(checksum, { bytes })).toBe('match');
    expect(checkChecksum(checksum, { bytes: other })).toBe('mismatch');
  });

  it.each(['', 'abc', 'crc32:12345678', 'sha256:abc', `sha512:${sha256}${sha256}`, md5Base64, 'a'.repeat(43)])(
    'is left alone when it is %o',
    (checksum) => {
      expect(checkChecksum(checksum, { bytes })).toBe('opaque');
      expect(checkChecksum(checksum, streamed)).toBe('opaque');
    },
  );

  it('of a streamed body is judged by its SHA-256; an MD5 is said not to have been checked', () => {
    expect(checkChecksum(sha256, streamed)).toBe('match');
    expect(checkChecksum(`sha256:${sha256Base64}`, streamed)).toBe('match');
    expect(checkChecksum(sha256, { sha256Hex: '0'.repeat(64) })).toBe('mismatch');
    expect(checkChecksum(md5, streamed)).toBe('not-checked');
  });
});
