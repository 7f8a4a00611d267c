import { describe, expect, it } from 'vitest';
import { median, medianInterval, percentile, rounded } from './statistics.ts';

describe('the statistics a result is made of', () => {
  it('takes the middle of an odd number of values whatever their order, and leaves the input as it was', () => {
    const values = [9, 1, 5];
    expect(median(values)).toBe(5);
    expect(values).toEqual([9, 1, 5]);
  });

  it('takes the mean of the two middle values of an even number', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it('sorts by number and not by text', () => {
    expect(median([10, 9, 100])).toBe(10);
  });

  it('answers NaN for no values rather than a figure nobody measured', () => {
    expect(median([])).toBeNaN();
    expect(percentile([], 0.99)).toBeNaN();
  });

  it('gives the nearest-rank percentile, always a value that occurred', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile(hundred, 1)).toBe(100);
    expect(percentile([7], 0.99)).toBe(7);
  });

  it('refuses a percentile written as 99 where 0.99 is meant', () => {
    expect(() => percentile([1], 99)).toThrow(RangeError);
  });

  it('prints null, not NaN, for what could not be measured', () => {
    expect(rounded(1.23456)).toBe(1.23);
    expect(rounded(Number.NaN)).toBeNull();
  });
});

describe('the interval of a median', () => {
  it('takes in the middle of the values and leaves out their ends', () => {
    const values = Array.from({ length: 25 }, (_, n) => n);
    expect(medianInterval(values)).toEqual({ low: 6, high: 18 });
  });

  it('is all there is of a few values', () => {
    expect(medianInterval([3, 1, 2])).toEqual({ low: 1, high: 3 });
    expect(medianInterval([])).toEqual({ low: Number.NaN, high: Number.NaN });
  });
});
