import type { BodyRef } from '../bodies.ts';

/**
 * A body is stored as `yyyymmdd/ab/mmmmmmmm-random`: the UTC day and the millisecond of that day of the machine clock, and `ab`, the
 * first two characters of the random part, so that no directory grows with a busy day. The time of creation is in the
 * name so that the orphan sweep asks for no attributes and a restored backup keeps its ages.
 */
export interface BodyPlace {
  readonly day: string;
  readonly fan: string;
  readonly name: string;
  readonly createdAtMs: number;
}

const dayMs = 86_400_000;
const dayForm = /^\d{8}$/;
const fanForm = /^[0-9a-z]{2}$/;
const nameForm = /^(\d{8})-([0-9a-z]{16,64})$/;

/** The UTC day, `yyyymmdd`, of a machine-clock time. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10).replaceAll('-', '');
}

function startOfDayMs(day: string): number {
  return Date.parse(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6, 8)}T00:00:00Z`);
}

/** The place of a new body. `random` is 16–64 characters of 0-9 a-z with at least 64 bits of randomness. */
export function newPlace(nowMs: number, random: string): BodyPlace {
  const day = dayOf(nowMs);
  const place = placeOf(day, random.slice(0, 2), `${String(nowMs % dayMs).padStart(8, '0')}-${random}`);
  if (place === undefined) throw new RangeError('a random key is 16 to 64 characters of 0-9 and a-z');
  return place;
}

/** The place these three names describe; undefined when the store would never have made them. */
export function placeOf(day: string, fan: string, name: string): BodyPlace | undefined {
  const parts = nameForm.exec(name);
  if (!isDay(day) || parts?.[2]?.startsWith(fan) !== true || !isFan(fan)) return undefined;
  return { day, fan, name, createdAtMs: startOfDayMs(day) + Number(parts[1]) };
}

/** The place a key names; undefined for a key this store never gave out, so that no key can lead out of the root. */
export function placeOfRef(ref: BodyRef): BodyPlace | undefined {
  const [day, fan, name, ...rest] = ref.split('/');
  return day === undefined || fan === undefined || name === undefined || rest.length > 0
    ? undefined
    : placeOf(day, fan, name);
}

export function refOf(place: BodyPlace): BodyRef {
  return `${place.day}/${place.fan}/${place.name}` as BodyRef;
}

export function isDay(name: string): boolean {
  return dayForm.test(name) && !Number.isNaN(startOfDayMs(name));
}

export function isFan(name: string): boolean {
  return fanForm.test(name);
}
