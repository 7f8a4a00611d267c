import { type MailboxId, parseMailboxId } from '@openmesh/protocol';
import { parseInstant } from '../mailbox/import/member-readers.ts';
import { exitCodes } from './command.ts';
import { CommandRefusal } from './define-command.ts';

/** The mailbox id of an argument in its canonical form. */
export function readMailboxId(text: string): MailboxId {
  const id = parseMailboxId(text);
  if (id === undefined) {
    throw new CommandRefusal(exitCodes.badInput, 'not a mailbox id: 1 to 100 letters, digits and _ . -');
  }
  return id;
}

/** A whole number of an option within its bounds; `otherwise` when it was not given. */
export function readCount(option: string, text: string | undefined, otherwise: number, min: number, max: number) {
  if (text === undefined) return otherwise;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new CommandRefusal(exitCodes.badInput, `--${option} must be a whole number from ${min} to ${max}`);
}

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A date, or how long ago: `30m`, `12h`, `7d`. Milliseconds; undefined when it was not given. */
export function readTime(option: string, text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const ago = /^(\d{1,4})([mhd])$/.exec(text);
  const unit = unitMs[ago?.[2] ?? ''];
  const ms = unit === undefined ? parseInstant(text) : nowMs - Number(ago?.[1]) * unit;
  if (ms !== undefined) return ms;
  const say = 'must be a date like 2026-11-21 or 2026-11-21T05:36:40Z, or a time ago like 30m, 12h or 7d';
  throw new CommandRefusal(exitCodes.badInput, `--${option} ${say}`);
}

/** One of the words an option knows; undefined when it was not given. */
export function readWord<const W extends string>(option: string, text: string | undefined, words: readonly W[]) {
  if (text === undefined) return undefined;
  const word = words.find((candidate) => candidate === text);
  if (word !== undefined) return word;
  throw new CommandRefusal(exitCodes.badInput, `--${option} must be one of ${words.join(', ')}`);
}
