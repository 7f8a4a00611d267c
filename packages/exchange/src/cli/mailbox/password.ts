import { randomInt } from 'node:crypto';
import { EntryProblem } from '../../mailbox/import/member-readers.ts';
import { passwordLengthMax, readPassword } from '../../mailbox/import/shapes.ts';
import type { Surroundings } from '../admin-session.ts';
import { exitCodes } from '../command.ts';
import { CommandRefusal } from '../define-command.ts';

/** No letters that are read as others, and nothing a shell or a form treats specially. */
const alphabet = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789';
const generatedLength = 20;

/** 20 characters of 54: 115 bits. */
export function generatePassword(): string {
  return Array.from({ length: generatedLength }, () => alphabet[randomInt(alphabet.length)]).join('');
}

async function readAll(stdin: AsyncIterable<Uint8Array>): Promise<string> {
  const blocks: Uint8Array[] = [];
  let bytes = 0;
  for await (const block of stdin) {
    blocks.push(block);
    bytes += block.length;
    // Four bytes a character at most, and a line ending.
    if (bytes > passwordLengthMax * 4 + 2) break;
  }
  return Buffer.concat(blocks).toString('utf8');
}

export interface ChosenPassword {
  readonly password: string;
  /** Made here: it has to be shown, this once. */
  readonly generated: boolean;
}

/** The password on standard input without its line ending when `fromStdin`, else a new one. */
export async function choosePassword(fromStdin: boolean, { stdin }: Surroundings): Promise<ChosenPassword> {
  if (!fromStdin) return { password: generatePassword(), generated: true };
  const text = await readAll(stdin);
  try {
    return { password: readPassword(text.replace(/\r?\n$/, '')), generated: false };
  } catch (error) {
    if (!(error instanceof EntryProblem)) throw error;
    throw new CommandRefusal(exitCodes.badInput, `the password on standard input ${error.message}`);
  }
}
