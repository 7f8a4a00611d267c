import { createHmac, createSecretKey, type KeyObject, randomUUID } from 'node:crypto';
import { formatAuthorization, formatTokenTimestamp, tokenMessage } from '@openmesh/protocol';

/** Who a token speaks for. */
export interface Caller {
  readonly mailbox: string;
  readonly password: string;
}

/** Makes `Authorization` values with a fresh nonce each, good for two hours around `nowMs`. */
export class TokenMaker {
  readonly #key: KeyObject;
  readonly #timestamp: string;

  constructor(sharedKey: string, nowMs: number) {
    this.#key = createSecretKey(sharedKey, 'utf8');
    this.#timestamp = formatTokenTimestamp(nowMs);
  }

  make({ mailbox, password }: Caller, nonce: string = randomUUID()): string {
    const parts = { mailbox, nonce, nonceCount: '0', timestamp: this.#timestamp };
    const hash = createHmac('sha256', this.#key)
      .update(tokenMessage({ ...parts, password }))
      .digest('hex');
    return formatAuthorization({ ...parts, hash });
  }
}
