import { createHmac, createSecretKey, type KeyObject, randomUUID } from 'node:crypto';

/** Who a token speaks for. */
export interface Caller {
  readonly mailbox: string;
  readonly password: string;
}

/** UTC `yyyyMMddHHmm`, the time stamp of a token. */
export function tokenTimestamp(now: Date): string {
  return now.toISOString().slice(0, 16).replaceAll(/[-T:]/g, '');
}

/** Makes `Authorization` values with a fresh nonce each, good for two hours around `timestamp`. */
export class TokenMaker {
  readonly #key: KeyObject;
  readonly #timestamp: string;

  constructor(sharedKey: string, timestamp: string) {
    this.#key = createSecretKey(sharedKey, 'utf8');
    this.#timestamp = timestamp;
  }

  make(caller: Caller, nonce: string = randomUUID(), count = '0'): string {
    const hash = createHmac('sha256', this.#key)
      .update(`${caller.mailbox}:${nonce}:${count}:${caller.password}:${this.#timestamp}`)
      .digest('hex');
    return `NHSMESH ${caller.mailbox}:${nonce}:${count}:${this.#timestamp}:${hash}`;
  }
}
