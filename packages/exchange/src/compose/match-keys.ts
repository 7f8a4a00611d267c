import type { KeysAtHand } from '../keys/keys-at-hand.ts';
import { keyIdOf } from '../mailbox/sealer.ts';
import type { RegistryCursor, RegistryLedger, RegistryPage, RegistryTable } from '../store/ledger/registry.ts';
import { StartRefusal } from './start-refusal.ts';

const tablesOfSecrets: readonly RegistryTable[] = ['credentials', 'sharedKeys'];

/**
 * Throws `StartRefusal` where the ledger keeps passwords or shared keys and every one of them under a key that the file does
 * not hold: nothing that is kept could be opened, and what came new would be kept under a key of another ledger. One that can
 * be opened is enough, for keys change while an exchange runs.
 */
export async function requireMatchingKeys(
  keys: KeysAtHand,
  ledger: Pick<RegistryLedger, 'page'>,
  keyFile: string,
): Promise<void> {
  const needed = new Set<string>();
  for await (const keyId of keysOfSecrets(ledger)) {
    if (keys.current().some(({ id }) => id === keyId)) return;
    needed.add(keyId);
  }
  // Another process may have put its key into the file, and then sealed with it, after the file was read here.
  if (needed.size === 0 || (keys.readAgain() && keys.current().some(({ id }) => needed.has(id)))) return;
  throw new StartRefusal(
    `OPENMESH_SECRET_KEY_FILE ${keyFile} is not the key file of this ledger: no password or shared key that it keeps opens with ` +
      `a key of the file; put back the file that belongs to it ("openmesh-exchange keys list" names the keys that are needed), ` +
      'or name another OPENMESH_LEDGER',
  );
}

async function* keysOfSecrets(ledger: Pick<RegistryLedger, 'page'>): AsyncGenerator<string, void, void> {
  for (const table of tablesOfSecrets) {
    let at: RegistryCursor | null = { table, after: null };
    while (at?.table === table) {
      const { rows, next }: RegistryPage = await ledger.page(at);
      for (const { sealed } of [...(rows.credentials ?? []), ...(rows.sharedKeys ?? [])]) {
        const keyId = keyIdOf(sealed);
        if (keyId !== undefined) yield keyId;
      }
      at = next;
    }
  }
}
