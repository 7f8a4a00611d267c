import { getHeapSpaceStatistics } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { countBodyGarbage } from './body-garbage.ts';

const mebibyte = 1024 * 1024;

function youngBytes(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')?.space_used_size ?? 0;
}

describe('the garbage of large bodies', () => {
  it('is swept after 8 MiB received and not before, with the collector out of reach of everybody else', () => {
    countBodyGarbage(8 * mebibyte);
    for (let received = 0; received < 7; received += 1) countBodyGarbage(mebibyte);
    const garbage = Array.from({ length: 1000 }, () => ({ text: 'x' }));
    garbage.length = 0;
    const before = youngBytes();
    countBodyGarbage(mebibyte);
    expect(youngBytes()).toBeLessThan(before);
    expect('gc' in globalThis).toBe(false);
  });
});
