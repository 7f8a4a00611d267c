import { type RuleChange, type RuleDecider } from '../../mailbox/routing/change-rules.ts';
import { buildSnapshot } from '../../mailbox/snapshot.ts';
import type { RegistryRecords } from '../../store/ledger/registry.ts';
import type { RuleRecord } from '../../store/ledger/routing-records.ts';
import type { AdminSession, Surroundings } from '../admin-session.ts';
import { changeRegistry } from '../change-registry.ts';
import { exitCodes } from '../command.ts';
import { CommandRefusal } from '../define-command.ts';

/** Who decides on what, as things stand. Rules follow the service clock, which a sandbox may have moved. */
export async function deciderOf(
  session: AdminSession,
  world: Surroundings,
  known?: RegistryRecords,
): Promise<RuleDecider & { readonly records: RegistryRecords }> {
  const records = known ?? (await session.ledger.registry.load());
  const nowMs = world.now() + (await session.ledger.jobs.clockOffset());
  return { records, snapshot: buildSnapshot(records, session.sealer.open), actor: world.actor(), nowMs };
}

/** Decides and writes, with its entry in the audit; again when somebody else changed the registry meanwhile. */
export function changeRules(
  session: AdminSession,
  world: Surroundings,
  action: string,
  decide: (by: RuleDecider) => RuleChange,
): Promise<{ readonly rule: RuleRecord; readonly version: number }> {
  return changeRegistry(session, async (records) => {
    const by = await deciderOf(session, world, records);
    const outcome = decide(by);
    if (outcome.kind === 'refused') throw new CommandRefusal(exitCodes.failed, outcome.problems.join('\n  '));
    const [rule] = outcome.rules;
    const detail = JSON.stringify({ version: rule.version, status: rule.status, terms: termsOf(rule) });
    const audit = { atMs: world.now(), actor: by.actor, action, subject: rule.ruleId, detail };
    return { rule, change: { rules: outcome.rules, audit } };
  });
}

/** What a rule says, for the audit. */
function termsOf({ action, target, ifSender, ifRecipient, workflowId, includeReports, ...rule }: RuleRecord): object {
  const { approvalId, activeFromMs, activeToMs, papers } = rule;
  const { proposedBy, reason } = papers;
  const terms = { action, target, ifSender, ifRecipient, workflowId, includeReports, approvalId };
  return { ...terms, activeFromMs, activeToMs, proposedBy, reason };
}
