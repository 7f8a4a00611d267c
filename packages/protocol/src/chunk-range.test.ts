import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatChunkRange, parseChunkRange } from './chunk-range.ts';

describe('a chunk range', () => {
  it('reads back as it was written, blanks or not', () => {
    const numbers = fc.integer({ min: 1, max: 10_000 });
    const blanks = fc.stringMatching(/^ {0,2}$/);
    fc.assert(
      fc.property(numbers, numbers, blanks, (chunk, total, blank) => {
        expect(parseChunkRange(formatChunkRange(chunk, total))).toEqual({ chunk, total });
        expect(parseChunkRange(`${blank}${chunk}${blank}:${blank}${total}${blank}`)).toEqual({ chunk, total });
      }),
    );
  });

  it('is undefined or two whole numbers from 1 to 10000, whatever was sent', () => {
    const pieces = fc.string({
      unit: fc.constantFrom('0', '1', '9', ':', ' ', '-', '.', 'e', 'x', '٣'),
      maxLength: 22,
    });
    fc.assert(
      fc.property(pieces, (raw) => {
        const range = parseChunkRange(raw);
        if (range === undefined) return;
        for (const value of [range.chunk, range.total]) {
          expect(Number.isInteger(value) && value >= 1 && value <= 10_000).toBe(true);
        }
      }),
    );
  });
});
