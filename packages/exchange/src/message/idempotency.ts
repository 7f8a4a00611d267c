import { hash } from 'node:crypto';
import type { MailboxId, SendHeaders } from '@openmesh/protocol';
import { type IdempotencyClaim, refusedFingerprint } from '../store/ledger/messages.ts';
import type { TextSealer } from './private-texts.ts';

/** What of a send its idempotency key is bound to. */
export interface KeyedSend {
  readonly sender: MailboxId;
  readonly headers: SendHeaders;
  readonly idempotencyKey: { readonly key: string; readonly expiresAtMs: number } | null;
}

/** The same key must come with the same headers and the same bytes; null for a send without a key. */
export function claimOf(sealer: TextSealer, send: KeyedSend, bodySha256: () => string): IdempotencyClaim | null {
  return send.idempotencyKey === null
    ? null
    : claim(send, send.idempotencyKey, fingerprints(sealer, send, bodySha256()));
}

/** Of a message that was refused, of whose body nothing is known. */
export function refusedClaimOf(sealer: TextSealer, send: KeyedSend): IdempotencyClaim | null {
  if (send.idempotencyKey === null) return null;
  return claim(send, send.idempotencyKey, fingerprints(sealer, send, '').map(refusedFingerprint));
}

function claim(
  { sender }: KeyedSend,
  key: { readonly key: string; readonly expiresAtMs: number },
  [fingerprint = '', ...others]: readonly string[],
): IdempotencyClaim {
  return { mailbox: sender, ...key, fingerprint, others };
}

/**
 * Under the key in use first, then under older ones: headers hold names and subjects, which a digest without a key would
 * let anybody who reads the ledger try out. The last is without one, as the version before wrote it.
 */
function fingerprints(sealer: TextSealer, { sender, headers }: KeyedSend, bodySha256: string): readonly string[] {
  const text = JSON.stringify([headers, bodySha256]);
  return [...sealer.lookupKeys(text, `idempotency:${sender}`), hash('sha256', text, 'hex')];
}
