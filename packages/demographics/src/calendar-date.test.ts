import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CalendarDate, dayInEngland, parseCalendarDate, readBirthDate } from './calendar-date.ts';

const dayMs = 86_400_000;
const anyPastDay = fc
  .integer({ min: Date.UTC(1850, 0, 1) / dayMs, max: Date.UTC(2026, 10, 26) / dayMs })
  .map((day) => new Date(day * dayMs).toISOString().slice(0, 10));
const today = '2026-11-26' as CalendarDate;

describe('a date of birth in eight digits', () => {
  it('is read as what it was written from, in either order', () => {
    fc.assert(
      fc.property(anyPastDay, (day) => {
        const [year = '', month = '', date = ''] = day.split('-');
        expect(readBirthDate(`${year}${month}${date}`, today)).toEqual({ date: day, order: 'standard' });
        // The two orders never meet: a year from 1850 on, read as day and month, has a month above 12 or the year is too early.
        const older = readBirthDate(`${date}${month}${year}`, today);
        const alsoStandard = parseCalendarDate(`${date}${month}-${year.slice(0, 2)}-${year.slice(2)}`);
        if (alsoStandard === undefined) expect(older).toEqual({ date: day, order: 'older' });
        else expect(older?.date).toSatisfy((read: string) => read === day || read === alsoStandard);
      }),
    );
  });

  it('is a day that exists, whatever eight digits say', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\d{8}$/), (digits) => {
        const read = readBirthDate(digits, today);
        if (read === undefined) return;
        expect(parseCalendarDate(read.date)).toBe(read.date);
        expect(read.date <= today && read.date >= '1850-01-01').toBe(true);
      }),
    );
  });
});

describe('the day in England', () => {
  it.each([
    ['2026-07-01T23:30:00Z', '2026-07-02'],
    ['2026-12-01T23:30:00Z', '2026-12-01'],
  ])('at %s is %s', (moment, day) => {
    expect(dayInEngland(Date.parse(moment))).toBe(day);
  });
});
