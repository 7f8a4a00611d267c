import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRegistry } from '@openmesh/exchange/mailbox/registry.ts';
import { emptyTables, RegistryDraft, type RegistryTables } from '@openmesh/exchange/mailbox/snapshot.ts';
import {
  type RegistryCursor,
  type RegistryLedger,
  type RegistryRows,
  workflowDefaults,
} from '@openmesh/exchange/store/ledger/registry.ts';
import type { Ledger } from '@openmesh/exchange/store/ledger.ts';
import { openSqliteLedger } from '@openmesh/exchange/store/sql/sqlite/ledger.ts';
import type { MailboxId } from '@openmesh/protocol';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { registryRows } from './registry-rows.ts';

let folder = '';
let ledger: Ledger;
const open = async (): Promise<void> => {
  folder = mkdtempSync(join(tmpdir(), 'openmesh-versions-'));
  const options = { cacheMebibytes: 4, queueMax: 10_000, onBroken: (reason: string) => expect.fail(reason) };
  ledger = await openSqliteLedger({ path: join(folder, 'ledger.sqlite'), profile: 'live', ...options });
};
const close = async (): Promise<void> => {
  await ledger.close();
  rmSync(folder, { recursive: true });
};
beforeEach(open);
afterEach(close);

/** The same for the same content, whatever the order in which it came. */
function canonical(value: unknown): unknown {
  if (value instanceof Map) {
    return [...value].map(([key, inner]) => [key, canonical(inner)] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, canonical(inner)]));
}

const id = (name: string): MailboxId => name as MailboxId;
const audit = { atMs: 0, actor: 'a', action: 'b', subject: 'c', detail: '{}' };

async function read(registry: RegistryLedger): Promise<RegistryTables> {
  const { version, ...rows } = await registry.load();
  return new RegistryDraft(emptyTables).put(rows).done(version);
}

it('is, made from version to version of what changed, what it is when all of it is read', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(registryRows, { minLength: 1, maxLength: 3 }), { maxLength: 5 }),
      async (rounds) => {
        let tables = await read(ledger.registry);
        for (const changes of rounds) {
          for (const rows of changes) await ledger.registry.change({ ...rows, audit });
          const before = canonical(tables);
          const delta = await ledger.registry.changesSince(tables.version);
          expect(delta).not.toBeNull();
          if (delta === null) return;
          const next = new RegistryDraft(tables).put(delta).done(delta.version);
          expect(canonical(next)).toEqual(canonical(await read(ledger.registry)));
          expect(canonical(tables), 'the version before stays as it was').toEqual(before);
          tables = next;
        }
      },
    ),
    { numRuns: 60 },
  );
}, 60_000);

const many = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => ({
    ...workflowDefaults,
    workflowId: `W${String(from + n).padStart(5, '0')}`,
  }));

/** A ledger that counts what is asked of it, and is changed by `meanwhile` before each page. */
function counted(of: RegistryLedger, meanwhile: () => Promise<unknown>) {
  const asked = { loads: 0, pages: 0 };
  const registry: RegistryLedger = {
    ...of,
    load: () => {
      asked.loads += 1;
      return of.load();
    },
    page: async (from: RegistryCursor) => {
      asked.pages += 1;
      await meanwhile();
      return of.page(from);
    },
  };
  return { asked, registry };
}

it('takes a change of a thousand rows as what changed, and a larger one in pages', async () => {
  const { asked, registry: watched } = counted(ledger.registry, () => Promise.resolve());
  const registry = createRegistry({ ledger: watched, unseal: () => '' });
  await registry.reload();
  await ledger.registry.change({ workflows: many(1000), audit });
  await registry.reload();
  expect(asked).toEqual({ loads: 1, pages: 0 });
  await ledger.registry.change({ workflows: many(1001, 5000), audit });
  await registry.reload();
  expect(registry.current().workflows()).toHaveLength(2001);
  const others = Object.keys(emptyTables).length - 1;
  expect(asked).toEqual({ loads: 1, pages: 3 + others });
});

it('sees, where it is read in pages, what changes between them', async () => {
  const steps: RegistryRows[] = [
    { workflows: [{ ...workflowDefaults, workflowId: 'AAA' }] },
    { workflows: [{ ...workflowDefaults, workflowId: 'W00000', title: 'new' }] },
    {
      registrations: [
        { mailboxId: id('A'), workflowId: 'AAA', role: 'initiator', approvalId: null, validFromMs: 0, validToMs: null },
      ],
    },
    { dropRegistrations: [{ mailboxId: id('A'), workflowId: 'AAA', role: 'initiator' }] },
  ];
  const { registry: watched } = counted(ledger.registry, async () => {
    const rows = steps.shift();
    if (rows !== undefined) await ledger.registry.change({ ...rows, audit });
  });
  const registry = createRegistry({ ledger: watched, unseal: () => '' });
  await registry.reload();
  await ledger.registry.change({ workflows: many(1500), audit });
  await registry.reload();
  expect(registry.current().version).toBe(await ledger.registry.version());
  expect(registry.current().workflow('AAA')).toBeDefined();
  expect(registry.current().workflow('W00000')?.title).toBe('new');
  expect(registry.current().workflows()).toEqual((await ledger.registry.load()).workflows);
});

it('reads everything at once when pages are overtaken again and again', async () => {
  let title = 0;
  const { asked, registry: watched } = counted(ledger.registry, async () => {
    title += 1;
    await ledger.registry.change({ workflows: many(1100).map((row) => ({ ...row, title: `${title}` })), audit });
  });
  const registry = createRegistry({ ledger: watched, unseal: () => '' });
  await registry.reload();
  await ledger.registry.change({ workflows: many(1100), audit });
  await registry.reload();
  expect(asked.loads).toBe(2);
  expect(registry.current().workflows()).toEqual((await ledger.registry.load()).workflows);
}, 60_000);

it('remembers what changed for a thousand versions, and says when it does not', async () => {
  await Promise.all(
    Array.from({ length: 1200 }, (_, n) =>
      ledger.registry.change({ workflows: [{ ...workflowDefaults, workflowId: `V${n}` }], audit }),
    ),
  );
  const { registry } = ledger;
  expect(await registry.changesSince(199)).toBeNull();
  expect((await registry.changesSince(200))?.workflows).toHaveLength(1000);
  expect(await registry.changesSince(1200)).toEqual({ version: 1200 });
  expect(await registry.changesSince(1300)).toEqual({ version: 1200 });
});

it('keeps a password open that did not change, so that a change costs no mailbox its next request', async () => {
  let opened = 0;
  const registry = createRegistry({
    ledger: ledger.registry,
    unseal: (sealed) => {
      opened += 1;
      return sealed;
    },
  });
  const credential = { kind: 'password', validFromMs: 0, validToMs: null } as const;
  await ledger.registry.change({
    credentials: [
      { ...credential, credentialId: 'c1', mailboxId: id('A'), sealed: 'one' },
      { ...credential, credentialId: 'c2', mailboxId: id('B'), sealed: 'two' },
    ],
    audit,
  });
  await registry.reload();
  registry.current().passwords(id('A'), 1);
  registry.current().passwords(id('B'), 1);
  await ledger.registry.change({
    credentials: [{ ...credential, credentialId: 'c2', mailboxId: id('B'), sealed: 'three' }],
    audit,
  });
  await registry.reload();
  expect(registry.current().passwords(id('A'), 1)).toEqual(['one']);
  expect(registry.current().passwords(id('B'), 1)).toEqual(['three']);
  expect(opened).toBe(3);
});
