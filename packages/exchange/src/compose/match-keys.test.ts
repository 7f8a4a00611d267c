import { describe, expect, it } from 'vitest';
import { createKeysAtHand } from '../keys/keys-at-hand.ts';
import { createSealer, type SealingKey } from '../mailbox/sealer.ts';
import type { RegistryCursor, RegistryPage } from '../store/ledger/registry.ts';
import { requireMatchingKeys } from './match-keys.ts';
import { StartRefusal } from './start-refusal.ts';

const key = (n: number): SealingKey => ({ id: String(n).repeat(16), key: new Uint8Array(32).fill(n) });
const [first, second, third] = [key(1), key(2), key(3)];

function sealedUnder(keys: readonly SealingKey[]): { readonly sealed: string }[] {
  return keys.map((each) => ({ sealed: createSealer([each]).seal('text', 'context') }));
}

/** Pages of one row each. */
function ledgerOf(tables: Partial<Record<'credentials' | 'sharedKeys', readonly SealingKey[]>>) {
  return {
    page({ table, after }: RegistryCursor): Promise<RegistryPage> {
      const at = Number(after?.[0] ?? -1) + 1;
      const rows = table === 'credentials' || table === 'sharedKeys' ? sealedUnder(tables[table] ?? []) : [];
      const next = at + 1 < rows.length ? { table, after: [at] } : { table: 'workflows' as const, after: null };
      return Promise.resolve({ rows: { [table]: rows.slice(at, at + 1) }, next });
    },
  };
}

function matching(files: readonly (readonly SealingKey[])[], tables: Parameters<typeof ledgerOf>[0]): Promise<void> {
  let reading = 0;
  const read = (): readonly SealingKey[] => files[Math.min(reading++, files.length - 1)] ?? [];
  return requireMatchingKeys(
    createKeysAtHand(read, () => 0),
    ledgerOf(tables),
    'the-file',
  );
}

describe('a key file at the start', () => {
  it.each([
    ['nothing is kept', [[first]], {}],
    ['its key is in use', [[first]], { credentials: [first] }],
    ['its key is one that only opens', [[second, first]], { credentials: [first] }],
    ['a new key was prepared', [[first, second]], { credentials: [first], sharedKeys: [first] }],
    ['rewrapping was broken off', [[second]], { credentials: [first, second] }],
    ['only the last of many opens', [[second]], { credentials: [first, first, third, second] }],
    ['only a shared key opens', [[second]], { credentials: [first], sharedKeys: [second] }],
    ['the key came into the file since it was read', [[first], [second, first]], { credentials: [second] }],
  ])('is taken where %s', async (_where, files, tables) => {
    await expect(matching(files, tables)).resolves.toBeUndefined();
  });

  it.each([
    ['passwords', { credentials: [first, third] }],
    ['shared keys', { sharedKeys: [first] }],
  ])('is refused by name where it opens none of the %s', async (_what, tables) => {
    const refused = matching([[second]], tables);
    await expect(refused).rejects.toThrow(StartRefusal);
    await expect(refused).rejects.toThrow(/OPENMESH_SECRET_KEY_FILE the-file is not the key file/);
  });
});
