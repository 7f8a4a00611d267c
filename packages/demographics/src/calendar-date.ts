/** A day as `YYYY-MM-DD`. Texts of this form are in order when compared as texts. */
export type CalendarDate = string & { readonly __brand: 'CalendarDate' };

/** No living person's record has an earlier year; it also keeps the two orders of digits apart. */
const earliestYear = 1850;

/** Reads `YYYY-MM-DD`; undefined when there is no such day. */
export function parseCalendarDate(text: string): CalendarDate | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  return match === null ? undefined : dateOf(match[1] ?? '', match[2] ?? '', match[3] ?? '');
}

function dateOf(year: string, month: string, day: string): CalendarDate | undefined {
  const text = `${year}-${month}-${day}`;
  const ms = Date.parse(`${text}T00:00:00Z`);
  // A day beyond the end of its month is another day to some engines and none to others.
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text ? undefined : (text as CalendarDate);
}

export interface BirthDate {
  readonly date: CalendarDate;
  /** 'older': written DDMMYYYY, as examples of earlier guides were. */
  readonly order: 'standard' | 'older';
}

/**
 * A date of birth in eight digits: `YYYYMMDD`, or `DDMMYYYY` only where the first is no past date since 1850. Undefined
 * when it is neither. `today` is the last day that is past.
 */
export function readBirthDate(digits: string, today: CalendarDate): BirthDate | undefined {
  if (!/^\d{8}$/.test(digits)) return undefined;
  const isPast = (date: CalendarDate | undefined): date is CalendarDate =>
    date !== undefined && date <= today && Number(date.slice(0, 4)) >= earliestYear;
  const standard = dateOf(digits.slice(0, 4), digits.slice(4, 6), digits.slice(6));
  if (isPast(standard)) return { date: standard, order: 'standard' };
  const older = dateOf(digits.slice(4), digits.slice(2, 4), digits.slice(0, 2));
  return isPast(older) ? { date: older, order: 'older' } : undefined;
}

const london = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'Europe/London',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
});

/** The day it is in England, where the records are kept, at a moment in milliseconds since 1970. */
export function dayInEngland(nowMs: number): CalendarDate {
  return london.format(nowMs) as CalendarDate;
}
