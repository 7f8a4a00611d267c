import { expect, it } from 'vitest';
import type { LedgerSource } from '../ledger.contract.ts';
import { acceptOf, alice, bob, bornAtMs, carol, deliver, idOf, listed, newMessage, nonceOf } from '../ledger-probe.ts';

const hourMs = 3_600_000;

export function promiseNonces(at: LedgerSource): void {
  it('lets a nonce be claimed once and tells when that was, to the millisecond', async () => {
    expect(await at.ledger.nonces.claim(nonceOf('n:1', { seenAtMs: bornAtMs + 123 }))).toEqual({ kind: 'claimed' });
    const again = nonceOf('n:1', { seenAtMs: bornAtMs + 456, expiresAtMs: bornAtMs + 3 * hourMs });
    expect(await at.ledger.nonces.claim(again)).toEqual({ kind: 'nonce-used', seenAtMs: bornAtMs + 123 });
  });

  it('lets one of many claims of the same nonce through, in one commit and over many', async () => {
    const claims = Array.from({ length: 1000 }, (_, n) => at.ledger.nonces.claim(nonceOf(`n${n % 10}:1`)));
    const claimed = (await Promise.all(claims)).filter(({ kind }) => kind === 'claimed');
    expect(claimed).toHaveLength(10);
  });

  it('keeps the nonces of mailboxes and the counts of a nonce apart', async () => {
    const claims = [nonceOf('n:1'), nonceOf('n:2'), nonceOf('N:1'), nonceOf('n:1', { mailbox: bob })];
    for (const claim of claims) expect(await at.ledger.nonces.claim(claim)).toEqual({ kind: 'claimed' });
    for (const claim of claims) expect(await at.ledger.nonces.claim(claim)).toMatchObject({ kind: 'nonce-used' });
  });

  it('remembers what earlier processes claimed, however often it is opened', async () => {
    await at.ledger.nonces.claim(nonceOf('a:1'));
    await deliver((await at.reopen()).messages, 1);
    await at.ledger.nonces.claim(nonceOf('b:1', { seenAtMs: bornAtMs + 1 }));
    const ledger = await at.reopen();
    expect(await ledger.nonces.claim(nonceOf('a:1'))).toEqual({ kind: 'nonce-used', seenAtMs: bornAtMs });
    expect(await ledger.nonces.claim(nonceOf('b:1'))).toEqual({ kind: 'nonce-used', seenAtMs: bornAtMs + 1 });
    expect(await ledger.nonces.claim(nonceOf('c:1'))).toEqual({ kind: 'claimed' });
  });

  it('sweeps claims past their date and keeps the others', async () => {
    const { nonces, jobs } = at.ledger;
    await nonces.claim(nonceOf('early:1', { expiresAtMs: bornAtMs + hourMs }));
    await nonces.claim(nonceOf('late:1', { expiresAtMs: bornAtMs + 9 * hourMs }));
    expect(await jobs.sweepNonces({ nowMs: bornAtMs + hourMs - 1, limit: 10 })).toBe(0);
    expect(await jobs.sweepNonces({ nowMs: bornAtMs + 2 * hourMs, limit: 10 })).toBe(1);
    expect(await jobs.sweepNonces({ nowMs: bornAtMs + 2 * hourMs, limit: 10 })).toBe(0);
    const ledger = await at.reopen();
    const late = nonceOf('late:1', { seenAtMs: bornAtMs + 2 * hourMs });
    expect(await ledger.nonces.claim(late)).toEqual({ kind: 'nonce-used', seenAtMs: bornAtMs });
  });

  it('does not use up the nonce of a command that failed, and spares the commands beside it', async () => {
    const { messages, nonces } = at.ledger;
    const impossible = newMessage(idOf(2), { state: 'nonsense' as never });
    const [before, failed, claim, after] = await Promise.allSettled([
      deliver(messages, 1),
      messages.accept(acceptOf([newMessage(idOf(9)), impossible], { nonce: nonceOf('n:1') })),
      nonces.claim(nonceOf('m:1')),
      deliver(messages, 3, { recipient: carol }),
    ]);
    expect([before.status, claim.status, after.status]).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
    expect(failed).toMatchObject({ status: 'rejected', reason: { name: 'LedgerFault', kind: 'defect' } });
    expect(await messages.find(idOf(9))).toBeNull();
    expect(await listed(messages, bob)).toEqual([idOf(1)]);
    expect(await messages.waitingCount(alice)).toBe(0);
    expect(await nonces.claim(nonceOf('n:1'))).toEqual({ kind: 'claimed' });
    expect(await nonces.claim(nonceOf('m:1'))).toEqual({ kind: 'nonce-used', seenAtMs: bornAtMs });
  });
}
