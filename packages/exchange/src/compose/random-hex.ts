import { randomFillSync } from 'node:crypto';

/** Random bytes drawn from the system at a time: a draw costs the same for three bytes as for thousands. */
const pooledBytes = 8192;

/** A source of random lower-case hex texts of `bytes` bytes each. */
export function createRandomHex(bytes: number): () => string {
  const pool = Buffer.alloc(pooledBytes - (pooledBytes % bytes));
  let at = pool.length;
  return () => {
    if (at >= pool.length) {
      randomFillSync(pool);
      at = 0;
    }
    const text = pool.toString('hex', at, at + bytes);
    at += bytes;
    return text;
  };
}
