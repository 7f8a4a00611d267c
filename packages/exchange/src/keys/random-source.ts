import { randomFillSync } from 'node:crypto';

const poolBytes = 4096;

/** Fills so many bytes, at most 4096, with randomness that is given out once. */
export type RandomSource = (into: Uint8Array, offset: number, length: number) => void;

/** Random bytes are drawn 4 KiB at a time, because one draw costs more than one encryption; no copy of them stays. */
export function createRandomSource(): RandomSource {
  const pool = Buffer.alloc(poolBytes);
  let next = poolBytes;
  return (into, offset, length) => {
    if (next + length > poolBytes) {
      randomFillSync(pool);
      next = 0;
    }
    pool.copy(into, offset, next, next + length);
    pool.fill(0, next, next + length);
    next += length;
  };
}
