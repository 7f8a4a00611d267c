import { type MailboxId, parseMailboxId } from '@openmesh/protocol';

/** What is wrong with one line, in words that name members and never repeat a value: it may be a password. */
export class EntryProblem extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EntryProblem';
  }
}

/** Reads one member's value. Throws `EntryProblem` with the rest of a sentence that begins with the member's name. */
export type Reader<T = unknown> = (value: unknown) => T;

/** Member of the line → the record's member and how its value is read. */
export type Shape = Readonly<Record<string, readonly [target: string, read: Reader]>>;

const nameShownMax = 40;

/** A name out of the file, safe to print. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > nameShownMax ? `${name.slice(0, nameShownMax)}…` : name);
}

function listed(names: readonly string[]): string {
  return names.join(', ');
}

/**
 * Reads the members of a line by its shape, under the record's names. Members that the shape does not know are
 * refused, `__proto__` among them; members left out stay out.
 */
export function readMembers(line: Readonly<Record<string, unknown>>, shape: Shape): Record<string, unknown> {
  const read: Record<string, unknown> = {};
  for (const member of Object.keys(line)) {
    if (member === 'kind') continue;
    const entry = Object.hasOwn(shape, member) ? shape[member] : undefined;
    if (entry === undefined) {
      throw new EntryProblem(`unknown member ${quoted(member)}: known are ${listed(Object.keys(shape))}`);
    }
    try {
      read[entry[0]] = entry[1](line[member]);
    } catch (error) {
      throw error instanceof EntryProblem ? new EntryProblem(`${member} ${error.message}`) : error;
    }
  }
  return read;
}

// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const controlCharacters = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** Text of `min` to `max` characters without control characters. */
export function text(min: number, max: number): Reader<string> {
  return (value) => {
    if (typeof value !== 'string') throw new EntryProblem('must be a text');
    if (value.length < min || value.length > max) throw new EntryProblem(`must have ${min} to ${max} characters`);
    if (controlCharacters.test(value)) throw new EntryProblem('must not hold control characters');
    return value;
  };
}

export function oneOf<const T extends string>(...allowed: readonly T[]): Reader<T> {
  return (value) => {
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) throw new EntryProblem(`must be one of ${listed(allowed)}`);
    return found;
  };
}

/** A whole number within its bounds. */
export function count(min: number, max: number): Reader<number> {
  return (value) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
    throw new EntryProblem(`must be a whole number from ${min} to ${max}`);
  };
}

export const flag: Reader<boolean> = (value) => {
  if (typeof value !== 'boolean') throw new EntryProblem('must be true or false');
  return value;
};

export function orNull<T>(read: Reader<T>): Reader<T | null> {
  return (value) => (value === null ? null : read(value));
}

export function listOf<T>(read: Reader<T>, max: number): Reader<readonly T[]> {
  return (value) => {
    if (!Array.isArray(value) || value.length > max) throw new EntryProblem(`must be a list of at most ${max}`);
    return value.map(read);
  };
}

export const mailboxId: Reader<MailboxId> = (value) => {
  const id = typeof value === 'string' ? parseMailboxId(value) : undefined;
  if (id === undefined) throw new EntryProblem('must be a mailbox id: 1 to 100 letters, digits and _ . -');
  return id;
};

const odsPattern = /^[A-Z0-9._-]{0,20}$/;

/** Organisation codes have one spelling, upper case. */
export const odsCode: Reader<string> = (value) => {
  const code = typeof value === 'string' ? value.toUpperCase() : undefined;
  if (code === undefined || !odsPattern.test(code)) {
    throw new EntryProblem('must be an organisation code: at most 20 letters, digits and . _ -');
  }
  return code;
};

/** As on the wire: case matters and blanks may stand inside. */
export const workflowId: Reader<string> = (value) => {
  const id = text(1, 300)(value);
  if (id.trim() !== id) throw new EntryProblem('must not begin or end with a blank');
  return id;
};

/** A rule's id stands in commands, logs and timelines. */
export const ruleId: Reader<string> = (value) => {
  if (typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(value)) return value;
  throw new EntryProblem('must be a rule id: 1 to 64 letters, digits and . _ -, a letter or digit first');
};

/** SHA-256 as tools print it: hex, with or without colons. */
export const fingerprint: Reader<string> = (value) => {
  const hex = typeof value === 'string' ? value.replaceAll(':', '').toLowerCase() : '';
  if (!/^[0-9a-f]{64}$/.test(hex)) throw new EntryProblem('must be a SHA-256 fingerprint: 64 hex digits');
  return hex;
};

const instantPattern = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d{1,3})?Z)?$/;

/** Milliseconds since 1970 of `2026-11-21` (its midnight) or `2026-11-21T05:36:40Z`, UTC; undefined for others. */
export function parseInstant(value: string): number | undefined {
  if (!instantPattern.test(value)) return undefined;
  const ms = Date.parse(value);
  // Date.parse turns 30 February into 2 March: a date is one only when it comes back as it went in.
  if (Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(value.slice(0, 19).replace('Z', ''))) return undefined;
  return ms;
}

export const instant: Reader<number> = (value) => {
  const ms = typeof value === 'string' ? parseInstant(value) : undefined;
  if (ms === undefined) throw new EntryProblem('must be a date like 2026-11-21 or 2026-11-21T05:36:40Z');
  return ms;
};

/** Passes a row on whose dates are in order. Throws `EntryProblem`. */
export function checkDates<T extends { readonly validFromMs: number; readonly validToMs: number | null }>(row: T): T {
  if (row.validToMs !== null && row.validToMs < row.validFromMs) {
    throw new EntryProblem('would end before it begins: give both validFrom and validTo');
  }
  return row;
}
