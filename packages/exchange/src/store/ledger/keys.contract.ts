import { expect, it } from 'vitest';
import type { LedgerSource } from '../ledger.contract.ts';
import { acceptOf, alice, bob, bornAtMs, dayMs, idOf, newMessage, newPayload } from '../ledger-probe.ts';
import type { WrappedKey } from './messages.ts';

const oldKey = (n: number): WrappedKey => ({ keyId: 'old', wrapped: `wrapped ${n}` });
const newKey = (n: number): WrappedKey => ({ keyId: 'new', wrapped: `anew ${n}` });
const far = bornAtMs + 1000 * dayMs;
const beginning = 'A'.repeat(24);
const sealedOld = (n: number): string => `${'B'.repeat(24)}${n}`;

export function promiseKeys(at: LedgerSource): void {
  /** Four messages: two under an old key, one under the new one, one that is not encrypted and has no texts. */
  async function keepSome(): Promise<void> {
    const keys = [oldKey(1), oldKey(2), newKey(3), null];
    for (const [index, key] of keys.entries()) {
      const id = idOf(index + 1);
      const sealed = key === null ? '' : key.keyId === 'old' ? sealedOld(index + 1) : `${beginning}3`;
      const message = newMessage(id, { sealed, localKey: index === 0 ? 'local' : null });
      await at.ledger.messages.accept(acceptOf([message], { payload: newPayload(id, { key }) }));
    }
  }

  it('lists the payloads whose keys are wrapped under another key, in the order of their ids, from any on', async () => {
    await keepSome();
    const { keys } = at.ledger;
    const first = { payloadId: idOf(1), key: oldKey(1) };
    const second = { payloadId: idOf(2), key: oldKey(2) };
    expect(await keys.wrappedKeys({ afterId: '', exceptKeyId: 'new', limit: 9 })).toEqual([first, second]);
    expect(await keys.wrappedKeys({ afterId: '', exceptKeyId: 'new', limit: 1 })).toEqual([first]);
    expect(await keys.wrappedKeys({ afterId: idOf(1), exceptKeyId: 'new', limit: 9 })).toEqual([second]);
    expect(await keys.wrappedKeys({ afterId: '', exceptKeyId: 'old', limit: 9 })).toHaveLength(1);
  });

  it('replaces a wrapped key once, and only the one that was read', async () => {
    await keepSome();
    const { keys, messages } = at.ledger;
    const change = { payloadId: idOf(1), key: newKey(1), from: oldKey(1) };
    const stale = { payloadId: idOf(2), key: newKey(2), from: oldKey(7) };
    expect(await keys.replaceWrappedKeys([change, stale])).toBe(1);
    expect(await keys.replaceWrappedKeys([change])).toBe(0);
    const found = await Promise.all([1, 2].map(async (n) => (await messages.findWithChunk(idOf(n), 1))?.key));
    expect(found).toEqual([newKey(1), oldKey(2)]);
  });

  it('lists the messages whose texts begin otherwise, and replaces texts and key of look-up once', async () => {
    await keepSome();
    const { keys, messages } = at.ledger;
    const wanted = { afterId: '', exceptBeginning: beginning, limit: 9 };
    expect(await keys.sealedTexts(wanted)).toEqual([
      { messageId: idOf(1), owner: alice, sealed: sealedOld(1), localKey: 'local' },
      { messageId: idOf(2), owner: alice, sealed: sealedOld(2), localKey: null },
    ]);
    expect(await keys.sealedTexts({ ...wanted, afterId: idOf(1), limit: 1 })).toHaveLength(1);
    const change = { messageId: idOf(1), sealed: `${beginning}1`, localKey: 'anew', from: sealedOld(1) };
    const stale = { messageId: idOf(2), sealed: `${beginning}2`, localKey: null, from: 'something else' };
    expect(await keys.replaceSealedTexts([change, stale])).toBe(1);
    expect(await keys.replaceSealedTexts([change])).toBe(0);
    expect(await messages.find(idOf(1))).toMatchObject({ sealed: `${beginning}1`, recipient: bob });
    expect(await messages.findByLocalKey(alice, 'anew', 0)).toMatchObject([{ messageId: idOf(1) }]);
    expect(await messages.findByLocalKey(alice, 'local', 0)).toEqual([]);
  });

  it('counts what is kept under each key, and nothing of what was deleted or hidden', async () => {
    await keepSome();
    const { keys, jobs } = at.ledger;
    expect(await keys.uses()).toEqual({
      payloads: [
        { keyId: 'new', count: 1 },
        { keyId: 'old', count: 2 },
      ],
      texts: [
        { beginning, count: 1 },
        { beginning: 'B'.repeat(24), count: 2 },
      ],
    });
    await jobs.forgetPayloads([idOf(1), idOf(2)], far);
    await jobs.hideRecords({ nowMs: Number.MAX_SAFE_INTEGER, limit: 100 });
    expect(await keys.uses()).toEqual({ payloads: [{ keyId: 'new', count: 1 }], texts: [] });
  });
}
