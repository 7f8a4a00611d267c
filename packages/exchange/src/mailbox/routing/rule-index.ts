import type { MailboxId } from '@openmesh/protocol';
import type { RuleRecord } from '../../store/ledger/routing-records.ts';
import { DraftMap, DraftNest } from '../draft-map.ts';
import { compareText } from '../registered.ts';

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

function conditionsOf(rule: Pick<RuleRecord, 'ifSender' | 'workflowId' | 'ifRecipient'>): number {
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

/** By the conditions a rule has, then by what they ask for. */
type Buckets = ReadonlyMap<number, ReadonlyMap<string, readonly RuleRecord[]>>;

/** Every version of every rule, and those that could ever have effect by what they ask for. */
export interface RuleTables {
  readonly versions: ReadonlyMap<string, RuleRecord>;
  readonly redirects: Buckets;
  readonly copies: Buckets;
  /** Copy rules by their target and version. */
  readonly copiesTo: ReadonlyMap<MailboxId, ReadonlyMap<string, RuleRecord>>;
  readonly able: number;
}

export const noRules: RuleTables = {
  versions: new Map(),
  redirects: new Map(),
  copies: new Map(),
  copiesTo: new Map(),
  able: 0,
};

const versionKey = ({ ruleId, version }: RuleRecord): string => `${ruleId}\n${version}`;

/** Whether a rule could ever have effect. One without any condition matches nothing. */
function isAble({ status, action, ifRecipient, ...rule }: RuleRecord): boolean {
  if (status !== 'approved' && status !== 'superseded') return false;
  return action === 'redirect' ? ifRecipient !== null : conditionsOf({ ifRecipient, ...rule }) !== 0;
}

const inOrder = (a: RuleRecord, b: RuleRecord): number => compareText(a.ruleId, b.ruleId) || b.version - a.version;

/** Rules of another version of the registry, made from those of one. */
export class RuleDraft {
  readonly #versions: DraftMap<string, RuleRecord>;
  readonly #redirects: DraftNest<number, string, readonly RuleRecord[]>;
  readonly #copies: DraftNest<number, string, readonly RuleRecord[]>;
  readonly #copiesTo: DraftNest<MailboxId, string, RuleRecord>;
  #able: number;

  constructor(from: RuleTables) {
    this.#versions = new DraftMap(from.versions);
    this.#redirects = new DraftNest(from.redirects);
    this.#copies = new DraftNest(from.copies);
    this.#copiesTo = new DraftNest(from.copiesTo);
    this.#able = from.able;
  }

  put(rule: RuleRecord): void {
    const key = versionKey(rule);
    const before = this.#versions.get(key);
    if (before !== undefined && isAble(before)) this.#take(before, key);
    this.#versions.set(key, rule);
    if (isAble(rule)) this.#add(rule, key);
  }

  #placeOf(rule: RuleRecord) {
    const conditions = conditionsOf(rule);
    const asked = keyOf(conditions, rule.ifSender, rule.workflowId, rule.ifRecipient);
    return { buckets: rule.action === 'redirect' ? this.#redirects : this.#copies, conditions, asked };
  }

  #add(rule: RuleRecord, key: string): void {
    const { buckets, conditions, asked } = this.#placeOf(rule);
    const list = buckets.get(conditions, asked);
    buckets.set(conditions, asked, list === undefined ? [rule] : [...list, rule].sort(inOrder));
    if (rule.action === 'copy') this.#copiesTo.set(rule.target, key, rule);
    this.#able += 1;
  }

  #take(rule: RuleRecord, key: string): void {
    const { buckets, conditions, asked } = this.#placeOf(rule);
    const left = (buckets.get(conditions, asked) ?? none).filter((other) => other !== rule);
    if (left.length === 0) buckets.delete(conditions, asked);
    else buckets.set(conditions, asked, left);
    if (rule.action === 'copy') this.#copiesTo.delete(rule.target, key);
    this.#able -= 1;
  }

  done(): RuleTables {
    return {
      versions: this.#versions.done(),
      redirects: this.#redirects.done(),
      copies: this.#copies.done(),
      copiesTo: this.#copiesTo.done(),
      able: this.#able,
    };
  }
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

/** Indexes rules that stand by themselves, and not in a registry. */
export function indexRules(records: readonly RuleRecord[]): RuleIndex {
  const draft = new RuleDraft(noRules);
  for (const rule of records) draft.put(rule);
  return viewRules(draft.done());
}

export function viewRules({ redirects, copies, copiesTo, able }: RuleTables): RuleIndex {
  return {
    size: able,
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
      return found.length < 2 ? found : found.sort(inOrder);
    },
    copiesTo: (target, nowMs) => [...(copiesTo.get(target)?.values() ?? [])].filter((rule) => isInForce(rule, nowMs)),
  };
}
