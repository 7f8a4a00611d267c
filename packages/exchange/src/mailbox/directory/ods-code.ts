import type { OdsCode } from '../../store/ledger/directory.ts';

/** A code of the organisation directory: 3 to 10 letters and digits, read in upper case; undefined when it is none. */
export function parseOdsCode(text: string): OdsCode | undefined {
  const code = text.trim().toUpperCase();
  return /^[A-Z0-9]{3,10}$/.test(code) ? (code as OdsCode) : undefined;
}
