import type { MailboxId } from '@openmesh/protocol';
import type { RuleRecord } from '../../store/ledger/routing-records.ts';
import { compareText, pushTo } from '../registered.ts';

/** What a rule's conditions are held against. */
export interface RuleSubject {
  /** null: made by the exchange itself. */
  readonly sender: MailboxId | null;
  readonly recipient: MailboxId;
  readonly workflowId: string;
  readonly isReport: boolean;
}

/** Rules in force, found by what they ask for: a question costs the candidates, however many other rules there are. */
export interface RuleIndex {
  /** The redirect that applies: the most specific, of equals the one with the lowest id. */
  redirect(subject: RuleSubject, nowMs: number): RuleRecord | undefined;
  /** The copies that apply, in order of rule id. */
  copies(subject: RuleSubject, nowMs: number): readonly RuleRecord[];
  /** Copy rules in force whose copies come to this mailbox. */
  copiesTo(target: MailboxId, nowMs: number): readonly RuleRecord[];
  readonly size: number;
}

/** Which of the three conditions a rule has, as a number of three bits. */
const hasSender = 4;
const hasWorkflow = 2;
const hasRecipient = 1;
/** Sender and workflow before workflow, workflow before sender, sender before the recipient alone. */
const redirectOrder = [
  hasSender | hasWorkflow | hasRecipient,
  hasWorkflow | hasRecipient,
  hasSender | hasRecipient,
  hasRecipient,
] as const;

function conditionsOf(rule: RuleRecord): number {
  return (
    (rule.ifSender === null ? 0 : hasSender) |
    (rule.workflowId === null ? 0 : hasWorkflow) |
    (rule.ifRecipient === null ? 0 : hasRecipient)
  );
}

/** No id holds a line feed, so conditions cannot be read as others. */
function keyOf(conditions: number, sender: string | null, workflowId: string | null, recipient: string | null): string {
  const s = (conditions & hasSender) === 0 ? '' : (sender ?? '');
  const w = (conditions & hasWorkflow) === 0 ? '' : (workflowId ?? '');
  const r = (conditions & hasRecipient) === 0 ? '' : (recipient ?? '');
  return `${s}\n${w}\n${r}`;
}

/** The conditions that a rule has and that therefore matched, in words. */
export function conditionsInWords(rule: RuleRecord): string {
  const words: string[] = [];
  if (rule.ifSender !== null) words.push('sender');
  if (rule.ifRecipient !== null) words.push('recipient');
  if (rule.workflowId !== null) words.push('workflow');
  return words.join('+');
}

/** Whether the rule has effect at `nowMs` by its status and dates. A review that is overdue stops nothing. */
export function isInForce(rule: RuleRecord, nowMs: number): boolean {
  if (rule.status !== 'approved' && rule.status !== 'superseded') return false;
  return rule.activeFromMs <= nowMs && (rule.activeToMs === null || nowMs < rule.activeToMs);
}

type Buckets = ReadonlyMap<number, ReadonlyMap<string, readonly RuleRecord[]>>;

function bucket(rules: readonly RuleRecord[]): Buckets {
  const buckets = new Map<number, Map<string, RuleRecord[]>>();
  for (const rule of rules) {
    const conditions = conditionsOf(rule);
    const lists = buckets.get(conditions) ?? new Map<string, RuleRecord[]>();
    buckets.set(conditions, lists);
    pushTo(lists, keyOf(conditions, rule.ifSender, rule.workflowId, rule.ifRecipient), rule);
  }
  return buckets;
}

const none: readonly RuleRecord[] = [];

function candidates(buckets: Buckets, conditions: number, subject: RuleSubject): readonly RuleRecord[] {
  const lists = buckets.get(conditions);
  if (lists === undefined) return none;
  // A report has no sender, so no rule that asks for one matches it.
  if (subject.sender === null && (conditions & hasSender) !== 0) return none;
  return lists.get(keyOf(conditions, subject.sender, subject.workflowId, subject.recipient)) ?? none;
}

function applies(rule: RuleRecord, subject: RuleSubject, nowMs: number): boolean {
  return (!subject.isReport || rule.includeReports) && isInForce(rule, nowMs);
}

/** Indexes every rule that could ever have effect. A copy rule without any condition is passed over: it matches nothing. */
export function indexRules(records: readonly RuleRecord[]): RuleIndex {
  const able = records
    .filter(({ status }) => status === 'approved' || status === 'superseded')
    .filter((rule) => (rule.action === 'redirect' ? rule.ifRecipient !== null : conditionsOf(rule) !== 0))
    .sort((a, b) => compareText(a.ruleId, b.ruleId) || b.version - a.version);
  const redirects = bucket(able.filter(({ action }) => action === 'redirect'));
  const copies = bucket(able.filter(({ action }) => action === 'copy'));
  const byTarget = new Map<MailboxId, RuleRecord[]>();
  for (const rule of able) if (rule.action === 'copy') pushTo(byTarget, rule.target, rule);

  return {
    size: able.length,
    redirect(subject, nowMs) {
      if (redirects.size === 0) return undefined;
      for (const conditions of redirectOrder) {
        const found = candidates(redirects, conditions, subject).find((rule) => applies(rule, subject, nowMs));
        if (found !== undefined) return found;
      }
      return undefined;
    },
    copies(subject, nowMs) {
      if (copies.size === 0) return none;
      const found: RuleRecord[] = [];
      for (const conditions of copies.keys()) {
        for (const rule of candidates(copies, conditions, subject)) {
          if (applies(rule, subject, nowMs)) found.push(rule);
        }
      }
      return found.length < 2 ? found : found.sort((a, b) => compareText(a.ruleId, b.ruleId));
    },
    copiesTo: (target, nowMs) => (byTarget.get(target) ?? none).filter((rule) => isInForce(rule, nowMs)),
  };
}
