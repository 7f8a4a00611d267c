/** Ten digits whose last is the check digit of the others. Personal data. */
export type NhsNumber = string & { readonly __brand: 'NhsNumber' };

const highestWeight = 10;
const modulus = 11;
const placeholder = '0000000000';

/**
 * Reads an NHS number written as ten digits without blanks; undefined when it is none. The first nine digits are
 * multiplied by 10 down to 2 and added; 11 minus the remainder by 11 is the check digit, where 11 means 0 and 10 means
 * that there is no such number. Ten zeros pass that sum and are nobody's number.
 */
export function parseNhsNumber(text: string): NhsNumber | undefined {
  if (!/^[0-9]{10}$/.test(text) || text === placeholder) return undefined;
  let sum = 0;
  for (let at = 0; at < 9; at += 1) sum += Number(text[at]) * (highestWeight - at);
  const check = (modulus - (sum % modulus)) % modulus;
  return check === Number(text[9]) ? (text as NhsNumber) : undefined;
}
