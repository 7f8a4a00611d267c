import { createCipheriv } from 'node:crypto';

/**
 * `bytes` pseudo-random bytes, the same in every process for the same seed, so that a generator can check an answer
 * without keeping what it sent, and no compression on the way can help anyone.
 */
export function pseudoRandomBytes(bytes: number, seed: number): Buffer {
  const key = Buffer.alloc(16);
  key.writeUInt32BE(seed);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(bytes));
}

/** The longest body of the small-message benchmarks, bytes. */
export const smallBodyBytesMax = 20 * 1024;

/** Bytes at the start of a small body that tell one message from all others; the rest is the shared pattern. */
export const stampBytes = 16;

/** What every small body is a beginning of, apart from its stamp; shared by the generator and the echo server. */
export function smallBodyPattern(): Buffer {
  return pseudoRandomBytes(smallBodyBytesMax, 1);
}
