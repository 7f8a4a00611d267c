import type { SqlValue } from '../question.ts';

/** The kinds of columns that statements of many rows carry. */
export type ColumnKind = 'text' | 'bigint' | 'bytea';

const kinds = { text: 25, bigint: 20, bytea: 17 } as const;
const headBytes = 20;
const lengthBytes = 4;
const bigintBytes = 8;
const highWord = 2 ** 32;

/**
 * One column of many rows as an array in PostgreSQL's binary form, which the driver passes on as it is: the text form
 * would quote every value and double the size of bodies.
 */
export function columnOf(kind: ColumnKind, values: readonly SqlValue[]): Buffer {
  const sizes = values.map((value) => sizeOf(kind, value));
  const bytes = sizes.reduce((sum, size) => sum + lengthBytes + Math.max(size, 0), headBytes);
  const array = Buffer.allocUnsafe(bytes);
  array.writeInt32BE(1, 0);
  array.writeInt32BE(values.includes(null) ? 1 : 0, 4);
  array.writeInt32BE(kinds[kind], 8);
  array.writeInt32BE(values.length, 12);
  array.writeInt32BE(1, 16);
  let at = headBytes;
  for (const [index, value] of values.entries()) {
    const size = sizes[index] ?? -1;
    array.writeInt32BE(size, at);
    at += lengthBytes;
    if (value === null) continue;
    write(array, at, value);
    at += size;
  }
  return array;
}

/** -1 stands for null. */
function sizeOf(kind: ColumnKind, value: SqlValue): number {
  if (value === null) return -1;
  if (typeof value === 'string') {
    if (kind === 'text') return Buffer.byteLength(value);
  } else if (typeof value === 'number') {
    if (kind === 'bigint' && Number.isSafeInteger(value)) return bigintBytes;
  } else if (kind === 'bytea') return value.byteLength;
  throw new TypeError(`a ${typeof value} does not go into a column of ${kind}`);
}

function write(array: Buffer, at: number, value: string | number | Uint8Array): void {
  if (typeof value === 'string') array.write(value, at);
  else if (typeof value === 'object') array.set(value, at);
  else {
    const high = Math.floor(value / highWord);
    array.writeInt32BE(high, at);
    array.writeUInt32BE(value - high * highWord, at + lengthBytes);
  }
}
