import type { RegistryRecords } from '../../store/ledger/registry.ts';
import type { RuleRecord, RuleStatus } from '../../store/ledger/routing-records.ts';
import { checkRule } from '../routing/check-rule.ts';
import { RuleBook } from '../routing/rule-book.ts';
import { buildSnapshot } from '../snapshot.ts';
import { ruleKey } from './merge-routing.ts';
import type { PlannedRows } from './plan-builder.ts';

export interface ImportedRules {
  readonly rules: readonly RuleRecord[];
  /** Each names the rule; nothing is to be imported when there is one. */
  readonly problems: readonly string[];
}

interface Importing {
  readonly current: RegistryRecords;
  readonly change: PlannedRows;
  /** The file is a backup: its rules were checked and approved when they came into force. */
  readonly trustApprovals: boolean;
  readonly actor: string;
  readonly nowMs: number;
}

/**
 * What becomes of the rules of an import. One person imports, and two are needed for a rule: so a new rule is proposed by
 * whoever imports it, and checked like any other; a version that is there already cannot be changed by a file. Only a
 * backup is taken at its word, as far as it names two people and takes back nothing that was decided since.
 */
export function takeImportedRules(importing: Importing): ImportedRules {
  const { change, current, trustApprovals, actor, nowMs } = importing;
  const wanted = change.rules ?? [];
  if (wanted.length === 0) return { rules: wanted, problems: [] };
  const there = new Map(current.rules.map((rule) => [ruleKey(rule), rule]));
  if (trustApprovals) {
    const problems = wanted.flatMap((rule) => [...onePersonsRule(rule), ...takenBack(rule, there.get(ruleKey(rule)))]);
    return { rules: wanted, problems };
  }
  const problems: string[] = [];
  const rules = wanted.map((rule): RuleRecord => {
    if (there.has(ruleKey(rule))) {
      problems.push(`rule ${rule.ruleId}: version ${rule.version} is changed by the "rule" commands, not by a file`);
    }
    const papers = { ...rule.papers, proposedBy: actor, proposedAtMs: nowMs, decidedBy: '', decidedAtMs: null };
    return { ...rule, status: 'proposed', papers };
  });
  const snapshot = buildSnapshot(merged(current, change), () => '');
  const approvals = merged(current, change).approvals;
  const around = { snapshot, book: new RuleBook(current.rules), approvals, nowMs };
  return { rules, problems: [...problems, ...rules.flatMap((rule) => checkRule(rule, around))] };
}

function onePersonsRule({ ruleId, version, status, papers }: RuleRecord): readonly string[] {
  if (status !== 'approved' && status !== 'superseded') return [];
  if (papers.decidedBy !== '' && papers.decidedBy !== papers.proposedBy) return [];
  return [`rule ${ruleId}: version ${version} is approved by nobody else than its proposer`];
}

/** How far a version has come: none goes back, and of the last two neither ever has effect again. */
const stages: Readonly<Record<RuleStatus, number>> = { proposed: 0, approved: 1, superseded: 2, refused: 3, ended: 3 };

/** A file that is older than what was decided here would bring back into force what somebody ended. */
function takenBack(rule: RuleRecord, here: RuleRecord | undefined): readonly string[] {
  if (here === undefined) return [];
  const { ruleId, version, status, activeToMs } = rule;
  const goesOn = here.activeToMs !== null && (activeToMs === null || activeToMs > here.activeToMs);
  const isBack = stages[status] < stages[here.status] || (stages[status] < stages.ended && goesOn);
  if (!isBack) return [];
  const named = `rule ${ruleId}: version ${version}`;
  const say = 'take its line out of the file; what is wanted again is proposed again';
  if (here.status === status) return [`${named} ends earlier here than the file says: ${say}`];
  return [`${named} is ${here.status} here, which the file would take back to ${status}: ${say}`];
}

function by<R>(rows: readonly R[], puts: readonly R[] | undefined, keyOf: (row: R) => string): readonly R[] {
  return [...new Map([...rows, ...(puts ?? [])].map((row) => [keyOf(row), row])).values()];
}

function merged(current: RegistryRecords, change: PlannedRows): RegistryRecords {
  return {
    ...current,
    credentials: [],
    sharedKeys: [],
    mailboxes: by(current.mailboxes, change.mailboxes, (row) => row.mailboxId),
    workflows: by(current.workflows, change.workflows, (row) => row.workflowId),
    groups: by(current.groups, change.groups, (row) => row.groupId),
    approvals: by(current.approvals, change.approvals, (row) => row.approvalId),
    registrations: by(current.registrations, change.registrations, (row) =>
      [row.role, row.mailboxId, row.workflowId].join('\n'),
    ),
    memberships: by(current.memberships, change.memberships, (row) =>
      [row.part, row.mailboxId, row.groupId].join('\n'),
    ),
  };
}
