import { randomBytes } from 'node:crypto';
import type { MailboxId, SendHeaders } from '@openmesh/protocol';
import { describe, expect, it } from 'vitest';
import { createSealer, type SealingKey } from '../mailbox/sealer.ts';
import { isSameClaim } from '../store/ledger/messages.ts';
import { claimOf, type KeyedSend, refusedClaimOf } from './idempotency.ts';

const older: SealingKey = { id: 'older', key: randomBytes(32) };
const newer: SealingKey = { id: 'newer', key: randomBytes(32) };
const headers = { workflowId: 'WF', to: 'BOB', totalChunks: 1, subject: 'Jane Doe' } as SendHeaders;
const send: KeyedSend = { sender: 'ALICE' as MailboxId, headers, idempotencyKey: { key: 'k', expiresAtMs: 1 } };

describe('what an idempotency key is bound to', () => {
  it.each([
    ['a send', (keys: readonly SealingKey[]) => claimOf(createSealer(keys), send, () => 'digest')],
    ['a refusal', (keys: readonly SealingKey[]) => refusedClaimOf(createSealer(keys), send)],
  ])('is the same for %s after the secret key was changed', (_what, claimUnder) => {
    const before = claimUnder([older]);
    const after = claimUnder([newer, older]);
    if (before === null || after === null) throw new Error('a send with a key makes a claim');
    expect(after.fingerprint).not.toBe(before.fingerprint);
    expect(isSameClaim(before.fingerprint, after)).toBe(true);
  });

  it('cannot be tried out by whoever reads the ledger: the same send is written differently under every secret key', () => {
    const written = [older, newer].map((key) => claimOf(createSealer([key]), send, () => 'digest')?.fingerprint);
    expect(new Set(written).size).toBe(2);
  });

  it('differs with a header, with the bytes and with the sender', () => {
    const sealer = createSealer([newer]);
    const others = [
      claimOf(sealer, { ...send, headers: { ...headers, subject: 'John Doe' } }, () => 'digest'),
      claimOf(sealer, send, () => 'other digest'),
      claimOf(sealer, { ...send, sender: 'CAROL' as MailboxId }, () => 'digest'),
    ];
    const first = claimOf(sealer, send, () => 'digest');
    expect(new Set([first, ...others].map((each) => each?.fingerprint)).size).toBe(4);
  });
});
