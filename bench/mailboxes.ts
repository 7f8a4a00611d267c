import type { MailboxPair } from './lifecycle/operations.ts';
import type { Caller } from './token.ts';

const password = 'benchmark-password';

/** The shared key of every benchmark server: throw-away, on loopback only. */
export const sharedKey = 'benchmark-shared-key';

/** `count` pairs of a sender (`BENCHA0001`…) and a recipient (`BENCHB0001`…). */
export function mailboxPairs(count: number): MailboxPair[] {
  return Array.from({ length: count }, (_, index) => {
    const digits = String(index + 1).padStart(6, '0');
    return {
      sender: { mailbox: `BENCHA${digits}`, password },
      recipient: { mailbox: `BENCHB${digits}`, password },
    };
  });
}

/** Every mailbox of some pairs. */
export function mailboxesOf(pairs: readonly MailboxPair[]): Caller[] {
  return pairs.flatMap(({ sender, recipient }) => [sender, recipient]);
}
