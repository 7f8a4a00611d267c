import { expect, it } from 'vitest';
import type { LedgerSource } from '../ledger.contract.ts';
import { acceptOf, bob, bornAtMs, dayMs, idOf, newMessage } from '../ledger-probe.ts';
import type { NewMessage } from './messages.ts';
import type { ResolveCommand } from './resolving.ts';

const waiting: Partial<NewMessage> = { recipient: null, state: 'routing', expiresAtMs: null, sealed: 'with-address' };

function resolution(n: number, changes: Partial<ResolveCommand> = {}): ResolveCommand {
  const atMs = bornAtMs + 1000;
  return {
    messageId: idOf(n),
    registryVersion: null,
    state: 'accepted',
    recipient: bob,
    status: { code: '00', event: 'TRANSFER', description: 'sent' },
    sealed: 'without',
    atMs,
    expiresAtMs: atMs + 5 * dayMs,
    keepUntilMs: atMs + 30 * dayMs,
    hideAtMs: atMs + 30 * dayMs,
    removeAtMs: atMs + 90 * dayMs,
    events: [{ atMs, actor: 'exchange', kind: 'routed', detail: '' }],
    messages: [],
    ...changes,
  };
}

export function promiseResolving(at: LedgerSource): void {
  const begin = async (...numbers: readonly number[]): Promise<void> => {
    for (const n of numbers) {
      const message = newMessage(idOf(n), { ...waiting, createdAtMs: bornAtMs + n });
      expect(await at.ledger.messages.accept(acceptOf([message]))).toEqual({ kind: 'accepted' });
    }
  };

  it('lists messages whose address is not resolved, oldest first and page by page, and no others', async () => {
    await begin(3, 1, 2);
    await at.ledger.messages.accept(acceptOf([newMessage(idOf(4))]));
    const [first, ...none] = await at.ledger.resolving.waiting({ after: null, limit: 1 });
    expect([first?.messageId, none]).toEqual([idOf(1), []]);
    const rest = await at.ledger.resolving.waiting({ after: first ?? null, limit: 10 });
    expect(rest.map(({ messageId }) => messageId)).toEqual([idOf(2), idOf(3)]);
    expect(rest[0]).toEqual({ messageId: idOf(2), createdAtMs: bornAtMs + 2, acceptedAtMs: bornAtMs + 2 });
  });

  it('has no inbox entry until it is resolved, and then one like any other', async () => {
    await begin(1);
    expect(await at.ledger.messages.waitingCount(bob)).toBe(0);
    expect(await at.ledger.resolving.resolve(resolution(1))).toEqual({ kind: 'resolved' });
    expect(await at.ledger.messages.waitingCount(bob)).toBe(1);
    const again = await at.reopen();
    expect(await again.messages.find(idOf(1))).toMatchObject({
      state: 'accepted',
      recipient: 'BOB',
      sealed: 'without',
      expiresAtMs: bornAtMs + 1000 + 5 * dayMs,
    });
    expect(await again.resolving.waiting({ after: null, limit: 10 })).toEqual([]);
    expect((await again.messages.timeline(idOf(1))).at(-1)).toMatchObject({ kind: 'routed' });
  });

  it('ends once: the same command again, or another, changes nothing', async () => {
    await begin(1);
    await at.ledger.resolving.resolve(resolution(1));
    expect(await at.ledger.resolving.resolve(resolution(1))).toEqual({ kind: 'unchanged' });
    expect(await at.ledger.resolving.resolve(resolution(1, { state: 'error' }))).toEqual({ kind: 'unchanged' });
    expect(await at.ledger.resolving.resolve(resolution(2))).toEqual({ kind: 'not-found' });
    expect(await at.ledger.messages.waitingCount(bob)).toBe(1);
  });

  it('ends as an error with its report in the same commit, and without an inbox entry of its own', async () => {
    await begin(1);
    const report = newMessage(idOf(9), { messageType: 'REPORT', sender: null, payloadId: null });
    const failed = { state: 'error', recipient: null, expiresAtMs: null, messages: [report] } as const;
    expect(await at.ledger.resolving.resolve(resolution(1, failed))).toEqual({ kind: 'resolved' });
    const page = { mailbox: bob, afterPosition: 0, limit: 10, filter: null, examineMax: 10 };
    const { entries } = await at.ledger.messages.inboxPage(page);
    expect(entries.map(({ messageId }) => messageId)).toEqual([idOf(9)]);
    expect(await at.ledger.messages.find(idOf(1))).toMatchObject({ state: 'error', recipient: null });
  });

  it('is not resolved on a registry that has moved', async () => {
    await begin(1);
    const version = await at.ledger.registry.version();
    const stale = await at.ledger.resolving.resolve(resolution(1, { registryVersion: version + 1 }));
    expect(stale).toEqual({ kind: 'stale', version });
    expect(await at.ledger.messages.waitingCount(bob)).toBe(0);
  });
}
