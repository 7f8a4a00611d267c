/** Whose clock the 14 digits of a `DateTime` show: London's, as real files do, or UTC. */
export type StatusZone = 'london' | 'utc';

const london = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'Europe/London',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

/** `YYYYMMDDhhmmss` of a moment in milliseconds since 1970. */
export function statusDateTime(atMs: number, zone: StatusZone): string {
  if (zone === 'utc') return new Date(atMs).toISOString().replace(/[-:T]/g, '').slice(0, 14);
  const parts = new Map(london.formatToParts(atMs).map(({ type, value }) => [type, value]));
  return ['year', 'month', 'day', 'hour', 'minute', 'second'].map((part) => parts.get(part as 'year') ?? '').join('');
}

/** The moment, in milliseconds since 1970, of the 14 UTC digits of a `Mex-StatusTimestamp`; undefined for anything else. */
export function parseUtcDigits(digits: string | undefined): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(digits ?? '');
  if (match === null) return undefined;
  const ms = Date.parse(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}
