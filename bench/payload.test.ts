import { describe, expect, it } from 'vitest';
import { LargePayload } from './payload.ts';

describe('the payload of the large-file benchmark', () => {
  it('is the same bytes wherever a reader cuts them, across the end of its period too', () => {
    const payload = new LargePayload();
    const position = 4 * 1024 * 1024;
    const bytes = Buffer.concat([...payload.pieces(position, 3_000_000)]);
    expect(bytes.length).toBe(3_000_000);
    expect(payload.matches(bytes, 0, bytes.length, position)).toBe(true);
    expect(payload.matches(bytes, 1_000_001, 2_000_000, position + 1_000_001)).toBe(true);
  });

  it('shows one flipped bit and one swapped block', () => {
    const payload = new LargePayload();
    const block = 4 * 1024 * 1024;
    const second = Buffer.concat([...payload.pieces(block, block)]);
    expect(payload.matches(second, 0, block, 0)).toBe(false);
    second.writeUInt8(second.readUInt8(77) ^ 1, 77);
    expect(payload.matches(second, 0, block, block)).toBe(false);
  });
});
