import { createHash } from 'node:crypto';

export type Role = 'control' | 'data';

export interface SplitName {
  readonly base: string;
  readonly role: Role;
}

/** Temporary names of the programs that copy files into folders. */
const unfinished = /^[.~]|\.(tmp|part|filepart|partial|crdownload)$/i;

/**
 * The base name of one file of a pair and its role: the last extension decides, whatever its case, so that
 * `report.csv.dat` belongs to `report.csv.ctl`. Undefined for every other file.
 */
export function splitName(name: string): SplitName | undefined {
  if (unfinished.test(name)) return undefined;
  const match = /^(.+)\.(ctl|dat)$/is.exec(name);
  const base = match?.[1];
  if (base === undefined) return undefined;
  return { base, role: match?.[2]?.toLowerCase() === 'ctl' ? 'control' : 'data' };
}

/** What two base names are compared by: names of Windows are the same in any case. */
export function baseKey(base: string, platform = process.platform): string {
  return platform === 'win32' ? base.toLowerCase() : base;
}

const reserved = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/**
 * The name of a received message without extension: its id where that can be a file name everywhere, else a digest of
 * it. A name that a sender gave never becomes one.
 */
export function receivedBase(messageId: string): string {
  const safe =
    /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/.test(messageId) && !messageId.endsWith('.') && !reserved.test(messageId);
  return safe ? messageId : createHash('sha256').update(messageId).digest('hex');
}

/** Longest name of a file on the file systems in use, bytes of its UTF-8; Windows counts letters, of which there are no more. */
const nameBytesMax = 255;

/** `base` and `ending` as one name. Of a base that leaves no room for the ending the last letters are left out. */
export function fittingName(base: string, ending: string): string {
  const letters = Array.from(base);
  while (Buffer.byteLength(letters.join('') + ending) > nameBytesMax) letters.pop();
  return letters.join('') + ending;
}

/**
 * `name.ctl`, or `name_1.ctl`, `name_2.ctl`… : the first that `isTaken` does not know. Where nobody ever takes reports
 * away, those after the first thousands have the time in their names.
 */
export async function freeReportName(base: string, isTaken: (name: string) => Promise<boolean>): Promise<string> {
  for (let number = 0; ; number += 1) {
    const ending = number === 0 ? '' : number < countedNamesMax ? `_${number}` : `_${Date.now()}_${number}`;
    const name = fittingName(base, `${ending}.ctl`);
    if (!(await isTaken(name))) return name;
  }
}

const countedNamesMax = 10_000;

/** `yyyyMMddHHmmssSSS` in UTC, for names. */
export function stamp(atMs: number): string {
  return new Date(atMs).toISOString().replace(/[-:.TZ]/g, '');
}
