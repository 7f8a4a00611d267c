import { describe, expect, it } from 'vitest';
import { copyBytes } from './copy-bytes.ts';

describe('copying into shared memory', () => {
  it.each([
    { at: 0, from: 0, to: 8 },
    { at: 3, from: 2, to: 7 },
    { at: 7, from: 5, to: 6 },
    { at: 4, from: 4, to: 4 },
  ])('takes exactly the bytes asked for, to exactly their place: %j', ({ at, from, to }) => {
    const memory = Buffer.from(new SharedArrayBuffer(12)).fill(0xff);
    // A view that does not begin its memory: what lies before it must not be taken.
    const bytes = new Uint8Array([99, 98, 0, 1, 2, 3, 4, 5, 6, 7, 97]).subarray(2, 10);
    copyBytes(memory, at, bytes, from, to);
    const expected = Buffer.alloc(12, 0xff);
    expected.set(bytes.subarray(from, to), at);
    expect(memory).toEqual(expected);
  });
});
