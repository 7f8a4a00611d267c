import { isValidAt } from '../../mailbox/registered.ts';
import { sharedKeyContext } from '../../mailbox/sealer.ts';
import type { RegistryRecords, SharedKeyRecord } from '../../store/ledger/registry.ts';
import type { AdminSession } from '../admin-session.ts';

/** As many as the change from one to the next needs. */
export const validKeysMax = 2;

/** The ledger's keys that callers may use now. */
export function validNow(records: RegistryRecords, nowMs: number): readonly SharedKeyRecord[] {
  return records.sharedKeys.filter((row) => isValidAt(row, nowMs));
}

export function openKey({ sealer }: AdminSession, { sealed, sharedKeyId }: SharedKeyRecord): string {
  return sealer.open(sealed, sharedKeyContext(sharedKeyId));
}
