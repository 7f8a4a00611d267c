import { describe, expect, it } from 'vitest';
import { createStopRequests } from './stop-requests.ts';

describe('a request to stop', () => {
  it('that comes twice, to the process and by its launcher, is one; said again it is another', () => {
    let nowMs = 5000;
    const isNew = createStopRequests(() => nowMs);
    expect(isNew()).toBe(true);
    nowMs += 40;
    expect(isNew()).toBe(false);
    nowMs += 960;
    expect(isNew()).toBe(true);
    expect(isNew()).toBe(false);
  });
});
