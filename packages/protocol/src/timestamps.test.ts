import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compactUtc,
  compactUtcMillis,
  isoMicros,
  parseIsoDuration,
  parseIsoInstant,
  utcFromCalendar,
} from './timestamps.ts';

const moments = fc.integer({ min: Date.UTC(1970, 0, 1), max: Date.UTC(9999, 11, 31) });

describe('timestamps', () => {
  it('read back as the moment that was written, in both styles', () => {
    fc.assert(
      fc.property(moments, fc.integer({ min: 0, max: 999 }), (ms, micros) => {
        expect(parseIsoInstant(isoMicros({ ms, micros }, 'offset'))).toBe(ms);
        expect(parseIsoInstant(isoMicros({ ms, micros }, 'naive'))).toBe(ms);
      }),
    );
  });

  it('sort as text in the order of time', () => {
    fc.assert(
      fc.property(moments, moments, (one, other) => {
        expect(compactUtcMillis(one) < compactUtcMillis(other)).toBe(one < other);
      }),
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Date.UTC(10_000, 0, 1)])('have no form for %s', (ms) => {
    expect(() => compactUtc(ms)).toThrow(RangeError);
  });

  it('accept the days of the calendar and no others', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1000, max: 9999 }),
        fc.integer({ min: 0, max: 13 }),
        fc.integer({ min: 0, max: 32 }),
        (year, month, day) => {
          const ms = utcFromCalendar(year, month, day);
          const written = [String(year), String(month).padStart(2, '0'), String(day).padStart(2, '0')].join('');
          const isDay = ms !== undefined && compactUtc(ms).startsWith(written);
          const daysInMonth = month >= 1 && month <= 12 ? new Date(Date.UTC(year, month, 0)).getUTCDate() : 0;
          expect(isDay).toBe(day >= 1 && day <= daysInMonth);
        },
      ),
    );
  });
});

describe('durations', () => {
  it('are the sum of their parts', () => {
    const part = fc.integer({ min: 0, max: 999 });
    fc.assert(
      fc.property(part, part, part, part, (days, hours, minutes, seconds) => {
        const ms = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
        expect(parseIsoDuration(`P${days}DT${hours}H${minutes}M${seconds}S`)).toBe(ms);
      }),
    );
  });
});
