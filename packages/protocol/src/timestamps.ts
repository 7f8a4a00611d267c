import { isDigits } from './ascii.ts';
import { durationDaysMax } from './limits.ts';

/** A moment: milliseconds since 1970 UTC, or those and the microseconds (0–999) beyond them. */
export type Instant = number | { readonly ms: number; readonly micros: number };

const DAY_MS = 86_400_000;

/** `yyyyMMddHHmmss` in UTC. Throws a RangeError when `ms` is not a date of the years 0 to 9999. */
export function compactUtc(ms: number): string {
  const date = new Date(ms);
  const year = date.getUTCFullYear();
  if (!(year >= 0 && year <= 9999)) throw outsideWireYears();
  const day = (year * 100 + date.getUTCMonth() + 1) * 100 + date.getUTCDate();
  const second = (date.getUTCHours() * 100 + date.getUTCMinutes()) * 100 + date.getUTCSeconds();
  // One number of fourteen digits costs a quarter of six texts, and every download writes one.
  return String(day * 1_000_000 + second).padStart(14, '0');
}

/** `yyyyMMddHHmmssfff` in UTC. Throws like `compactUtc`. */
export function compactUtcMillis(ms: number): string {
  return compactUtc(ms) + String(new Date(ms).getUTCMilliseconds()).padStart(3, '0');
}

/**
 * ISO 8601 in UTC with six decimals: `offset` ends in `+00:00` (which older Python reads, as it does not `Z`), `naive`
 * in nothing, as the official sandbox writes it.
 */
export function isoMicros(at: Instant, style: 'offset' | 'naive'): string {
  const { ms, micros } = typeof at === 'number' ? { ms: at, micros: 0 } : at;
  const text = isoText(ms).slice(0, 23) + String(micros).padStart(3, '0');
  return style === 'offset' ? `${text}+00:00` : text;
}

/** The date form of HTTP headers: `Sat, 21 Nov 2026 05:36:37 GMT`. */
export function httpDate(ms: number): string {
  return new Date(ms).toUTCString();
}

/**
 * Milliseconds since 1970 of a UTC calendar time, or undefined when there is no such day or minute. Months count from 1.
 */
export function utcFromCalendar(year: number, month: number, day: number, hour = 0, minute = 0, second = 0) {
  if (year < 1000 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return undefined;
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  // Date.UTC rolls 31 February over into March, which is how an impossible day shows.
  return new Date(ms).getUTCDate() === day ? ms : undefined;
}

const durationPattern = /^P(?:(\d{1,9})W|(?:(\d{1,9})D)?(?:(T)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?)$/;

/**
 * Milliseconds of an ISO 8601 duration `PnW` or `PnDTnHnMnS`, whole numbers only. Undefined when it is malformed, empty,
 * holds years or months (whose length is not fixed), or is longer than ten years.
 */
export function parseIsoDuration(raw: string): number | undefined {
  if (raw.length > 64) return undefined;
  const match = durationPattern.exec(raw);
  if (match === null) return undefined;
  const [, weeks, days, time, hours, minutes, seconds] = match;
  const hasClockPart = hours !== undefined || minutes !== undefined || seconds !== undefined;
  if ((time !== undefined) !== hasClockPart) return undefined;
  if (weeks === undefined && days === undefined && !hasClockPart) return undefined;
  const ms =
    (Number(weeks ?? 0) * 7 + Number(days ?? 0)) * DAY_MS +
    Number(hours ?? 0) * 3_600_000 +
    Number(minutes ?? 0) * 60_000 +
    Number(seconds ?? 0) * 1000;
  return ms <= durationDaysMax * DAY_MS ? ms : undefined;
}

const instantPattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|z|[+\- ]\d\d:?\d\d)?)?$/;

/**
 * Milliseconds since 1970 of an ISO 8601 date or date-time; without an offset it is UTC. A blank where the offset's sign
 * belongs is read as `+`, which is what form decoding makes of one. Undefined when malformed or not in the calendar.
 */
export function parseIsoInstant(raw: string): number | undefined {
  if (raw.length > 64) return undefined;
  const match = instantPattern.exec(raw);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, offset] = match;
  const local = utcFromCalendar(
    Number(year),
    Number(month),
    Number(day),
    Number(hour ?? 0),
    Number(minute ?? 0),
    Number(second ?? 0),
  );
  if (local === undefined) return undefined;
  const offsetMs = parseOffset(offset);
  if (offsetMs === undefined) return undefined;
  return local + Number((fraction ?? '0').slice(0, 3).padEnd(3, '0')) - offsetMs;
}

function parseOffset(offset: string | undefined): number | undefined {
  if (offset === undefined || offset === 'Z' || offset === 'z') return 0;
  const hours = Number(offset.slice(1, 3));
  const minutes = Number(offset.slice(-2));
  if (hours > 23 || minutes > 59) return undefined;
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

/** Milliseconds since 1970 of exactly `yyyyMMddHHmm` in UTC; undefined for anything else. */
export function parseCompactMinute(raw: string): number | undefined {
  if (raw.length !== 12 || !isDigits(raw, 12)) return undefined;
  const value = Number(raw);
  const pair = (position: number) => Math.floor(value / position) % 100;
  return utcFromCalendar(Math.floor(value / 1e8), pair(1e6), pair(1e4), pair(100), pair(1));
}

function isoText(ms: number): string {
  const iso = new Date(ms).toISOString();
  // Years beyond 9999 are written with a sign and six digits, which no wire form here has room for.
  if (iso.length !== 24) throw outsideWireYears();
  return iso;
}

function outsideWireYears(): RangeError {
  return new RangeError('a date outside the years 0 to 9999 has no wire form');
}
