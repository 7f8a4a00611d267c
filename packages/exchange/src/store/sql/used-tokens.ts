import { hash } from 'node:crypto';
import type { NonceClaim } from '../ledger/nonces.ts';
import { type Fingerprint, FingerprintSet } from './fingerprints.ts';

/** Under which a ledger remembers the key of its fingerprints. */
export const saltKey = 'nonce-salt';

/** What stands for a token: 64 bits under the ledger's own key, so that nobody outside can choose tokens that collide. */
export function fingerprintOf(salt: string, { mailbox, nonce }: Pick<NonceClaim, 'mailbox' | 'nonce'>): Fingerprint {
  const digest = hash('sha256', `${salt} ${mailbox} ${nonce}`, 'buffer');
  // Both halves 0 would read as a free slot.
  return { high: digest.readUInt32BE(0), low: digest.readUInt32BE(4) || 1 };
}

/** Tokens that were used, in spans of time that are forgotten together. Times are milliseconds since 1970. */
export class UsedTokens {
  readonly #spans = new Map<number, FingerprintSet>();

  /** `span` is when it may be forgotten, `leftMs` before that it was used. */
  add(print: Fingerprint, span: number, leftMs: number): void {
    let set = this.#spans.get(span);
    if (set === undefined) {
      set = new FingerprintSet();
      this.#spans.set(span, set);
    }
    set.add(print, leftMs);
  }

  /** When it was used; undefined when it was not. Spans that are over are forgotten on the way. */
  find(print: Fingerprint, nowMs: number): number | undefined {
    for (const [span, set] of this.#spans) {
      if (span <= nowMs) {
        this.#spans.delete(span);
        continue;
      }
      const leftMs = set.find(print);
      if (leftMs !== undefined) return span - leftMs;
    }
    return undefined;
  }
}
