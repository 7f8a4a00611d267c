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

const largePeriodBytes = 4 * 1024 * 1024 + 8191;
const largePieceBytes = 1024 * 1024;

/**
 * A payload of any size that costs no time to make: a pseudo-random pattern over and over. The period is not a multiple
 * of any block size, so a block that is lost, doubled or swapped shows.
 */
export class LargePayload {
  readonly #pattern = pseudoRandomBytes(largePeriodBytes, 2);

  /** The bytes at [position, position + bytes), in pieces of at most 1 MiB. */
  *pieces(position: number, bytes: number): Generator<Buffer> {
    for (let sent = 0; sent < bytes; ) {
      const from = (position + sent) % largePeriodBytes;
      const piece = this.#pattern.subarray(from, from + Math.min(largePieceBytes, bytes - sent));
      yield piece;
      sent += piece.length;
    }
  }

  /** Whether bytes[start, end) are the payload's bytes from `position` on. */
  matches(bytes: Buffer, start: number, end: number, position: number): boolean {
    for (let at = start; at < end; ) {
      const from = (position + at - start) % largePeriodBytes;
      const length = Math.min(end - at, largePeriodBytes - from);
      if (bytes.compare(this.#pattern, from, from + length, at, at + length) !== 0) return false;
      at += length;
    }
    return true;
  }
}
