import type { Entry } from '../mailbox/import/entry.ts';
import type { ImportPlan } from '../mailbox/import/plan-builder.ts';
import { planEntries } from '../mailbox/import/plan-import.ts';
import type { AuditEntry } from '../store/ledger/audit.ts';
import type { RegistryChange, RegistryChanged, RegistryRecords } from '../store/ledger/registry.ts';
import type { AdminSession } from './admin-session.ts';
import { exitCodes } from './command.ts';
import { CommandRefusal } from './define-command.ts';

/** Times a change is decided again because the registry moved while it was. */
export const attemptsMax = 5;

/**
 * Decides on the registry as it stands and writes what was decided, in one transaction that refuses when the registry moved
 * in between: a row is written whole, so that one decided on an older registry would undo what somebody else has changed
 * since. It is decided again then.
 */
export async function changeRegistry<D extends { readonly change: Omit<RegistryChange, 'ifVersion'> }>(
  { ledger }: Pick<AdminSession, 'ledger'>,
  decide: (records: RegistryRecords) => Promise<D> | D,
): Promise<Omit<D, 'change'> & Omit<RegistryChanged, 'stale'>> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const records = await ledger.registry.load();
    const { change, ...decided } = await decide(records);
    const { stale, ...changed } = await ledger.registry.change({ ...change, ifVersion: records.version });
    if (stale !== true) return { ...decided, ...changed };
  }
  throw new CommandRefusal(exitCodes.unavailable, 'the registry keeps changing; nothing was changed; try again');
}

/** Applies entries to the registry as one change, or refuses them all. `entriesFor` may refuse by throwing. */
export function applyEntries(
  session: AdminSession,
  entriesFor: (records: RegistryRecords) => readonly Entry[],
  auditOf: (entries: readonly Entry[]) => AuditEntry,
): Promise<{ readonly version: number; readonly rowsChanged: number; readonly plan: ImportPlan }> {
  return changeRegistry(session, (records) => {
    const entries = entriesFor(records);
    const plan = planEntries(entries, records, session.sealer);
    const [first] = plan.problems;
    if (first !== undefined) throw new CommandRefusal(exitCodes.badInput, first.problem);
    return { plan, change: { ...plan.change, audit: auditOf(entries) } };
  });
}
