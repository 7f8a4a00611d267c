import { isDigits, trimBlanks } from './ascii.ts';
import { chunksMax, sendHeaderLengthMax } from './limits.ts';

/** `n:m` of a `Mex-Chunk-Range` header: this is chunk `chunk` of `total`, both counted from 1. */
export interface ChunkRange {
  readonly chunk: number;
  readonly total: number;
}

/**
 * Reads `n:m`, spaces tolerated. Undefined when it is not two decimal integers of at least 1, when it is over 20
 * characters, or when either is over the most chunks a message may have. `n > m` is for the caller to judge.
 */
export function parseChunkRange(raw: string): ChunkRange | undefined {
  if (raw === '1:1') return { chunk: 1, total: 1 };
  if (raw.length > sendHeaderLengthMax['mex-chunk-range']) return undefined;
  const colon = raw.indexOf(':');
  if (colon === -1) return undefined;
  const chunk = parsePositive(raw.slice(0, colon));
  const total = parsePositive(raw.slice(colon + 1));
  return chunk === undefined || total === undefined ? undefined : { chunk, total };
}

/** `n:m` without spaces. */
export function formatChunkRange(chunk: number, total: number): string {
  return `${chunk}:${total}`;
}

function parsePositive(raw: string): number | undefined {
  const digits = trimBlanks(raw);
  if (!isDigits(digits, sendHeaderLengthMax['mex-chunk-range'])) return undefined;
  const value = Number(digits);
  return value >= 1 && value <= chunksMax ? value : undefined;
}
