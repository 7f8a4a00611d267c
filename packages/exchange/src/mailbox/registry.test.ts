import type { MailboxId } from '@openmesh/protocol';
import { describe, expect, it } from 'vitest';
import type { RegistryDelta, RegistryLedger, RegistryRecords } from '../store/ledger/registry.ts';
import { LedgerFault } from '../store/ledger.ts';
import { noRecords } from '../store/ledger-probe.ts';
import { createRegistry } from './registry.ts';

const unused = () => Promise.reject(new Error('not part of this test'));

/** A ledger whose loads wait until the test lets them go: what is faked is time, not what a ledger stores. */
function createSlowLedger() {
  const waiting: { resolve: (records: RegistryRecords & RegistryDelta) => void; reject: (error: Error) => void }[] = [];
  const state = { version: 1, loads: 0 };
  const wait = (): Promise<RegistryRecords & RegistryDelta> => {
    state.loads += 1;
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  };
  const ledger: RegistryLedger = {
    version: () => Promise.resolve(state.version),
    load: wait,
    changesSince: wait,
    page: unused,
    change: unused,
    recordConnection: unused,
    connections: unused,
  };
  return {
    ledger,
    state,
    finish: (version: number) => waiting.shift()?.resolve({ version, ...noRecords }),
    fail: () => waiting.shift()?.reject(new LedgerFault('unavailable', 'away')),
  };
}

const unseal = () => '';
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('the registry', () => {
  it('refuses to answer before it was loaded once', () => {
    expect(() => createRegistry({ ledger: createSlowLedger().ledger, unseal }).current()).toThrow('first load');
  });

  it('lets callers share loads, but never one that began before they asked', async () => {
    const slow = createSlowLedger();
    const registry = createRegistry({ ledger: slow.ledger, unseal });
    const first = registry.reload();
    const later = [registry.reload(), registry.reload(), registry.reload()];
    expect(slow.state.loads).toBe(1);
    slow.finish(1);
    expect((await first).version).toBe(1);
    await settle();
    expect(slow.state.loads).toBe(2);
    slow.finish(2);
    expect((await Promise.all(later)).map((snapshot) => snapshot.version)).toEqual([2, 2, 2]);
    expect(slow.state.loads).toBe(2);
  });

  it('never goes back to an older version', async () => {
    const slow = createSlowLedger();
    const seen: number[] = [];
    const registry = createRegistry({ ledger: slow.ledger, unseal, onReload: ({ version }) => seen.push(version) });
    for (const version of [3, 2, 3, 4]) {
      const loaded = registry.reload();
      slow.finish(version);
      await loaded;
    }
    expect(registry.current().version).toBe(4);
    expect(seen).toEqual([3, 4]);
  });

  it('reloads for a version it does not have, and only then', async () => {
    const slow = createSlowLedger();
    const registry = createRegistry({ ledger: slow.ledger, unseal });
    const first = registry.reloadIfNewer(1);
    slow.finish(5);
    expect((await first).version).toBe(5);
    expect((await registry.reloadIfNewer(5)).version).toBe(5);
    expect(slow.state.loads).toBe(1);
  });

  it('lets callers share polls, but never one that began before they asked', async () => {
    const slow = createSlowLedger();
    const versions: PromiseWithResolvers<number>[] = [];
    const version = (): Promise<number> => {
      const asked = Promise.withResolvers<number>();
      versions.push(asked);
      return asked.promise;
    };
    const registry = createRegistry({ ledger: { ...slow.ledger, version }, unseal });
    const loaded = registry.reload();
    slow.finish(1);
    await loaded;
    const first = registry.poll();
    const later = [registry.poll(), registry.poll()];
    expect(versions).toHaveLength(1);
    versions[0]?.resolve(1);
    expect(await first).toBe(false);
    await settle();
    expect(versions).toHaveLength(2);
    versions[1]?.resolve(2);
    await settle();
    slow.finish(2);
    expect(await Promise.all(later)).toEqual([true, true]);
    expect(registry.current().version).toBe(2);
    expect(versions).toHaveLength(2);
  });

  it('polls the version, and loads only when it moved', async () => {
    const slow = createSlowLedger();
    const registry = createRegistry({ ledger: slow.ledger, unseal });
    const first = registry.poll();
    await settle();
    slow.finish(1);
    expect(await first).toBe(true);
    expect(await registry.poll()).toBe(false);
    expect(slow.state.loads).toBe(1);
    slow.state.version = 2;
    const moved = registry.poll();
    await settle();
    slow.finish(2);
    expect(await moved).toBe(true);
    expect(registry.current().mailbox('A' as MailboxId)).toBeUndefined();
  });

  it('keeps its snapshot when a load fails, says so to those who waited, and loads again when asked', async () => {
    const slow = createSlowLedger();
    const registry = createRegistry({ ledger: slow.ledger, unseal });
    const first = registry.reload();
    slow.finish(1);
    await first;
    const failing = registry.reload();
    const next = registry.reload();
    slow.fail();
    await expect(failing).rejects.toThrow('away');
    expect(registry.current().version).toBe(1);
    await settle();
    slow.finish(2);
    expect((await next).version).toBe(2);
  });
});
