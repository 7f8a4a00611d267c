import { randomInt } from 'node:crypto';
import { EntryProblem } from '../../mailbox/import/member-readers.ts';
import { passwordLengthMax, readPassword } from '../../mailbox/import/shapes.ts';
import type { Surroundings } from '../admin-session.ts';
import { exitCodes } from '../command.ts';
import { CommandRefusal } from '../define-command.ts';
import { readStdin } from '../read-stdin.ts';

/** No letters that are read as others, and nothing a shell or a form treats specially. */
const alphabet = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789';
const generatedLength = 20;

/** 20 characters of 54: 115 bits. */
export function generatePassword(): string {
  return Array.from({ length: generatedLength }, () => alphabet[randomInt(alphabet.length)]).join('');
}

/** Four bytes a character at most, and a line ending. */
const passwordBytesMax = passwordLengthMax * 4 + 2;

export interface ChosenPassword {
  readonly password: string;
  /** Made here: it has to be shown, this once. */
  readonly generated: boolean;
}

/** The password on standard input without its line ending when `fromStdin`, else a new one. */
export async function choosePassword(fromStdin: boolean, { stdin }: Surroundings): Promise<ChosenPassword> {
  if (!fromStdin) return { password: generatePassword(), generated: true };
  const text = await readStdin(stdin, passwordBytesMax);
  try {
    return { password: readPassword(text), generated: false };
  } catch (error) {
    if (!(error instanceof EntryProblem)) throw error;
    throw new CommandRefusal(exitCodes.badInput, `the password on standard input ${error.message}`);
  }
}
