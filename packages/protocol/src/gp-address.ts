/** What every routing expression begins with once it is upper-cased. */
export const gpAddressPrefix = 'GPPROVIDER_';

/** A longer surname is no surname. */
const surnameLengthMax = 70;

/**
 * The three parts of `GPPROVIDER_{nhsNumber}_{dateOfBirth}_{surname}`, upper-cased; the date is eight digits. Personal data.
 */
export interface GpAddress {
  readonly nhsNumber: string;
  readonly dateOfBirth: string;
  readonly surname: string;
}

/**
 * Splits an upper-cased recipient. Undefined when it is not a routing expression at all; `'malformed'` when it begins
 * like one and has not its form: a part is missing, the date is not eight digits, the surname is too long. The surname
 * is everything after the third underscore, underscores included. Whether the number is an NHS number and the date a day
 * is decided by routing, since those failures are reported and not answered.
 */
export function splitGpAddress(to: string): GpAddress | 'malformed' | undefined {
  if (!to.startsWith(gpAddressPrefix)) return undefined;
  const afterNumber = to.indexOf('_', gpAddressPrefix.length);
  const afterBirth = afterNumber === -1 ? -1 : to.indexOf('_', afterNumber + 1);
  if (afterBirth === -1) return 'malformed';
  const nhsNumber = to.slice(gpAddressPrefix.length, afterNumber);
  const dateOfBirth = to.slice(afterNumber + 1, afterBirth);
  const surname = to.slice(afterBirth + 1);
  const isFormed = nhsNumber !== '' && /^[0-9]{8}$/.test(dateOfBirth) && surname !== '';
  if (!isFormed || surname.length > surnameLengthMax) return 'malformed';
  return { nhsNumber, dateOfBirth, surname };
}

/** A recipient as it may be logged or shown: mailbox ids unchanged, a routing expression without its patient. */
export function redactRecipient(to: string): string {
  return to.slice(0, gpAddressPrefix.length).toUpperCase() === gpAddressPrefix ? `${gpAddressPrefix}…` : to;
}
