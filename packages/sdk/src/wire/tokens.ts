import { createHmac } from 'node:crypto';
import { formatAuthorization, formatTokenTimestamp, type MailboxId, tokenMessage } from '@openmesh/protocol';
import type { Surroundings } from '../surroundings.ts';

export interface Credentials {
  readonly mailbox: MailboxId;
  readonly password: string;
  readonly sharedKey: string;
}

/** Makes the `Authorization` of one request: a nonce of its own, count 0, stamped now. */
export function makeTokens(
  { mailbox, password, sharedKey }: Credentials,
  { nowMs, unique }: Pick<Surroundings, 'nowMs' | 'unique'>,
): () => string {
  return () => {
    const parts = { mailbox, nonce: unique(), nonceCount: '0', timestamp: formatTokenTimestamp(nowMs()) };
    const hash = createHmac('sha256', sharedKey)
      .update(tokenMessage({ ...parts, password }))
      .digest('hex');
    return formatAuthorization({ ...parts, hash });
  };
}
