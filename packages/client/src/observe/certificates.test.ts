import { describe, expect, it } from 'vitest';
import { warningStep } from './certificates.ts';

describe('warnings of a certificate that ends', () => {
  it('come at 90, 60, 30, 14 and 7 days, then every day, whichever days the client looks on', () => {
    const days = [400, 91, 90, 75, 61, 60, 31, 30, 15, 14, 8, 7, 6, 5, 0, -1];
    const steps = days.map((left) => warningStep(left, 90));
    expect(steps).toEqual([undefined, undefined, 90, 90, 90, 60, 60, 30, 30, 14, 14, 7, 6, 5, 0, -1]);
  });

  it('begin where it is set', () => {
    expect([45, 40, 20].map((left) => warningStep(left, 40))).toEqual([undefined, 40, 30]);
  });
});
