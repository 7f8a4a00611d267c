import { createHash } from 'node:crypto';
import type { BodyRef } from '../store/bodies.ts';
import type { BackupRecipient } from './backup-keys.ts';

export const snapshotsStart = 'snapshots/';
export const segmentsStart = 'ledger/';
export const allBodiesStart = 'bodies/';

const millisecondDigits = 3;
/** Clocks of two machines may be apart by so much. */
const clocksApartMs = 3_600_000;

/**
 * Words that sort by the moment; `momentOf` reads them. `random` is 8 hexadecimal digits, the first of which give way to
 * the milliseconds: of two of one second, too, the later one comes later.
 */
export function newMoment(atMs: number, random: string): string {
  const second = new Date(atMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const milliseconds = (atMs % 1000).toString(16).padStart(millisecondDigits, '0');
  return `${second}-${milliseconds}${random.slice(millisecondDigits)}`;
}

export function newSnapshotName(madeAtMs: number, random: string): string {
  return `${snapshotsStart}${newMoment(madeAtMs, random)}`;
}

export function snapshotIdOf(name: string): string {
  return name.slice(snapshotsStart.length);
}

export function snapshotNameOf(id: string): string {
  return `${snapshotsStart}${id}`;
}

/** When a snapshot was made, milliseconds since 1970; undefined for a name that is none. */
export function momentOf(id: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[0-9a-f]{8}$/.exec(id);
  if (match === null) return undefined;
  const [year = '', month = '', day = '', hour = '', minute = '', second = ''] = match.slice(1);
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** Whether a snapshot says that it was made later than it is now: the clock that dated it was wrong, or this one is. */
export function isAhead(id: string, nowMs: number): boolean {
  return (momentOf(id) ?? 0) > nowMs + clocksApartMs;
}

/** Bodies are apart by who can read them: after a change of keys they are copied anew. */
export function bodiesStart({ bytes }: BackupRecipient): string {
  return `${allBodiesStart}${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}/`;
}

export function bodyBlobName(recipient: BackupRecipient, ref: BodyRef): string {
  return `${bodiesStart(recipient)}${ref}`;
}
