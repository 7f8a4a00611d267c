import type { RegistryRecords } from '../../store/ledger/registry.ts';
import type { ApprovalRecord, RulePapers, RuleRecord } from '../../store/ledger/routing-records.ts';
import type { RegistrySnapshot } from '../snapshot.ts';
import { checkPapers, checkRule } from './check-rule.ts';
import { RuleBook } from './rule-book.ts';

/** What somebody asks for; the version, the status and who asked are added here. */
export type RuleDraft = Omit<RuleRecord, 'version' | 'status' | 'papers'> &
  Pick<RulePapers, 'reason' | 'lawfulBasis' | 'requestedBy' | 'agreedByRecipient' | 'agreedByTarget' | 'senderReason'>;

export interface RuleDecider {
  readonly records: Pick<RegistryRecords, 'rules' | 'approvals'>;
  readonly snapshot: RegistrySnapshot;
  /** Who asks: as the audit names them. */
  readonly actor: string;
  /** Service clock, milliseconds. */
  readonly nowMs: number;
}

/** The versions to put, the one decided on first; or why not, each reason naming the rule. */
export type RuleChange =
  | { readonly kind: 'change'; readonly rules: readonly [RuleRecord, ...RuleRecord[]] }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

function refused(...problems: readonly string[]): RuleChange {
  return { kind: 'refused', problems };
}

/** The versions of a rule, the newest first. */
export function versionsOf(rules: readonly RuleRecord[], ruleId: string): readonly RuleRecord[] {
  return rules.filter((rule) => rule.ruleId === ruleId).sort((a, b) => b.version - a.version);
}

/** Problems of a rule among the others, its own earlier versions left out: it would take their place. */
export function problemsOf(rule: RuleRecord, { records, snapshot, nowMs }: RuleDecider): readonly string[] {
  const book = new RuleBook(records.rules.filter(({ ruleId }) => ruleId !== rule.ruleId));
  return checkRule(rule, { snapshot, book, approvals: records.approvals, nowMs });
}

/** The next version of a rule, proposed. It has no effect until somebody else approves it. */
export function proposeRule(draft: RuleDraft, by: RuleDecider): RuleChange {
  const { reason, lawfulBasis, requestedBy, agreedByRecipient, agreedByTarget, senderReason, ...terms } = draft;
  const [newest] = versionsOf(by.records.rules, draft.ruleId);
  if (newest?.status === 'proposed') {
    return refused(`rule ${draft.ruleId}: version ${newest.version} is proposed already: approve or refuse it first`);
  }
  const told = { reason, lawfulBasis, requestedBy, agreedByRecipient, agreedByTarget, senderReason };
  const papers = { ...told, proposedBy: by.actor, proposedAtMs: by.nowMs, decidedBy: '', decidedAtMs: null };
  const rule: RuleRecord = { ...terms, version: (newest?.version ?? 0) + 1, status: 'proposed', papers };
  const problems = problemsOf(rule, by);
  return problems.length > 0 ? refused(...problems) : { kind: 'change', rules: [rule] };
}

function decided(rule: RuleRecord, status: RuleRecord['status'], by: RuleDecider): RuleRecord {
  return { ...rule, status, papers: { ...rule.papers, decidedBy: by.actor, decidedAtMs: by.nowMs } };
}

function proposed(ruleId: string, { records }: RuleDecider): RuleRecord | undefined {
  return versionsOf(records.rules, ruleId).find(({ status }) => status === 'proposed');
}

/**
 * Approves the proposed version. It is checked again, for things may have changed since it was proposed; the approver is
 * not the proposer, and both organisations have agreed. Versions before it stay in force until this one begins, and no
 * longer.
 */
export function approveRule(ruleId: string, by: RuleDecider): RuleChange {
  const rule = proposed(ruleId, by);
  if (rule === undefined) return refused(`rule ${ruleId}: no version is proposed`);
  const problems = [...checkPapers(rule, by.actor), ...problemsOf(rule, by)];
  if (problems.length > 0) return refused(...problems);
  const beginsMs = Math.max(rule.activeFromMs, by.nowMs);
  // Also one that was to make way for a version that is to begin later than this: it would go on beside this one till then.
  const goesOn = ({ status, activeToMs }: RuleRecord): boolean =>
    status === 'approved' || (status === 'superseded' && (activeToMs === null || activeToMs > beginsMs));
  const before = versionsOf(by.records.rules, ruleId)
    .filter(goesOn)
    .map((old): RuleRecord => {
      const activeToMs = old.activeToMs === null ? beginsMs : Math.min(old.activeToMs, beginsMs);
      return { ...old, status: 'superseded', activeToMs };
    });
  return { kind: 'change', rules: [decided(rule, 'approved', by), ...before] };
}

/** Turns the proposed version down. Whoever proposed it may do so too. */
export function refuseRule(ruleId: string, by: RuleDecider): RuleChange {
  const rule = proposed(ruleId, by);
  if (rule === undefined) return refused(`rule ${ruleId}: no version is proposed`);
  return { kind: 'change', rules: [decided(rule, 'refused', by)] };
}

/** Ends every version in force at once. One person is enough: what a rule took away comes back where it was. */
export function endRule(ruleId: string, by: RuleDecider): RuleChange {
  const [first, ...rest] = versionsOf(by.records.rules, ruleId)
    .filter(({ status }) => status === 'approved' || status === 'superseded')
    .map((rule): RuleRecord => {
      const activeToMs = rule.activeToMs === null ? by.nowMs : Math.min(rule.activeToMs, by.nowMs);
      return { ...rule, status: 'ended', activeToMs };
    });
  return first === undefined
    ? refused(`rule ${ruleId}: no version is in force`)
    : { kind: 'change', rules: [first, ...rest] };
}

/**
 * What is wrong with rules in force as things stand now: they do nothing, or soon will, or want to be looked at. One
 * rule a step, for there may be very many.
 */
export function* rulesToLookAt(by: RuleDecider, soonMs: number): Generator<RuleFinding> {
  const { records, snapshot, nowMs } = by;
  const book = new RuleBook(records.rules);
  const approvals = new Map(records.approvals.map((approval) => [approval.approvalId, approval]));
  for (const rule of records.rules) {
    if (rule.status !== 'approved') continue;
    const problems = [
      ...lookAt(rule, by, soonMs, rule.approvalId === null ? undefined : approvals.get(rule.approvalId)),
    ];
    if (rule.activeToMs === null || rule.activeToMs > nowMs) {
      // As it would be if it began today: what was in order when it was approved may be so no longer.
      const anew = { ...rule, activeFromMs: Math.max(rule.activeFromMs, nowMs), reviewOnMs: nowMs + soonMs };
      problems.push(...checkRule(anew, { snapshot, book, approvals: records.approvals, nowMs }));
    }
    yield { ruleId: rule.ruleId, problems };
  }
}

/** Sentences that name the rule. */
export interface RuleFinding {
  readonly ruleId: string;
  readonly problems: readonly string[];
}

function* lookAt(
  rule: RuleRecord,
  { nowMs }: RuleDecider,
  soonMs: number,
  approval: ApprovalRecord | undefined,
): Generator<string> {
  const name = `rule ${rule.ruleId}`;
  if (rule.activeToMs !== null && rule.activeToMs <= nowMs) {
    yield `${name}: ended on ${day(rule.activeToMs)}; end or renew it`;
    return;
  }
  if (rule.activeToMs !== null && rule.activeToMs <= nowMs + soonMs) yield `${name}: ends on ${day(rule.activeToMs)}`;
  if (rule.reviewOnMs <= nowMs) yield `${name}: its review was due on ${day(rule.reviewOnMs)}`;
  if (approval !== undefined && approval.validToMs > nowMs && approval.validToMs <= nowMs + soonMs) {
    yield `${name}: approval ${approval.approvalId} ends on ${day(approval.validToMs)}`;
  }
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
