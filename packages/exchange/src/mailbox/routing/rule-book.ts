import type { MailboxId } from '@openmesh/protocol';
import type { RuleRecord } from '../../store/ledger/routing-records.ts';
import { pushTo } from '../registered.ts';

/** Redirects looked at to see where one leads; beyond it a set of rules is too tangled to be vouched for. */
const visitsMax = 10_000;

/** What a message must be for all rules of a way to match it; dates as well. */
interface Narrowed {
  readonly sender: MailboxId | null;
  readonly workflowId: string | null;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Ways {
  /** A way by the rule that comes back to a mailbox it was at before, in order; undefined when there is none. */
  readonly loop: readonly MailboxId[] | undefined;
  /** The longest way by the rule, in order; two mailboxes when it stands alone. */
  readonly longest: readonly MailboxId[];
  /** Not all ways were followed: there are too many. */
  readonly tangled: boolean;
}

const endless = Number.MAX_SAFE_INTEGER;

function both<T>(a: T | null, b: T | null): { readonly value: T | null } | undefined {
  if (a === null) return { value: b };
  return b === null || a === b ? { value: a } : undefined;
}

/** What is left when a rule is added to a way; undefined when no message could take both. */
function narrow(by: Narrowed, rule: RuleRecord): Narrowed | undefined {
  const sender = both(by.sender, rule.ifSender);
  const workflow = both(by.workflowId, rule.workflowId);
  const fromMs = Math.max(by.fromMs, rule.activeFromMs);
  const toMs = Math.min(by.toMs, rule.activeToMs ?? endless);
  if (sender === undefined || workflow === undefined || fromMs >= toMs) return undefined;
  return { sender: sender.value, workflowId: workflow.value, fromMs, toMs };
}

const everything: Narrowed = { sender: null, workflowId: null, fromMs: 0, toMs: endless };

/** Rules that have effect or will have, found by where they take from and where they bring to: for checks on saving. */
export class RuleBook {
  readonly #redirectsFrom = new Map<MailboxId, RuleRecord[]>();
  readonly #redirectsTo = new Map<MailboxId, RuleRecord[]>();
  readonly #copiesOf = new Map<MailboxId, RuleRecord[]>();

  constructor(rules: Iterable<RuleRecord>) {
    for (const rule of rules) {
      if ((rule.status !== 'approved' && rule.status !== 'superseded') || rule.ifRecipient === null) continue;
      if (rule.action === 'copy') pushTo(this.#copiesOf, rule.ifRecipient, rule);
      else {
        pushTo(this.#redirectsFrom, rule.ifRecipient, rule);
        pushTo(this.#redirectsTo, rule.target, rule);
      }
    }
  }

  /** Other redirects that ask for exactly the same at the same time. */
  ties(rule: RuleRecord): readonly RuleRecord[] {
    if (rule.ifRecipient === null) return [];
    return (this.#redirectsFrom.get(rule.ifRecipient) ?? []).filter(
      (other) =>
        other.ruleId !== rule.ruleId &&
        other.ifSender === rule.ifSender &&
        other.workflowId === rule.workflowId &&
        overlap(other, rule),
    );
  }

  /** Copies of the recipient's messages that a redirect would stop, and that are made again when it ends. */
  copiesHidden(rule: RuleRecord): readonly RuleRecord[] {
    if (rule.action !== 'redirect' || rule.ifRecipient === null) return [];
    const own = narrow(everything, rule);
    return (this.#copiesOf.get(rule.ifRecipient) ?? []).filter(
      (copy) => copy.ruleId !== rule.ruleId && own !== undefined && narrow(own, copy) !== undefined,
    );
  }

  /** Where the redirects before and after this one could take a message that takes this one. */
  ways(rule: RuleRecord): Ways {
    const { ifRecipient, target } = rule;
    const own = narrow(everything, rule);
    const alone = ifRecipient === null ? [target] : [ifRecipient, target];
    if (own === undefined || ifRecipient === null) return { loop: undefined, longest: alone, tangled: false };
    let longest: readonly MailboxId[] = alone;
    let loop: readonly MailboxId[] | undefined;
    let visits = 0;

    const onward = (by: Narrowed, way: readonly MailboxId[]): void => {
      if (way.length > longest.length) longest = way;
      const last = way.at(-1);
      for (const next of last === undefined ? [] : (this.#redirectsFrom.get(last) ?? [])) {
        visits += 1;
        if (loop !== undefined || visits > visitsMax) return;
        const left = next.ruleId === rule.ruleId ? undefined : narrow(by, next);
        if (left === undefined) continue;
        if (way.includes(next.target)) loop = [...way, next.target];
        else onward(left, [...way, next.target]);
      }
    };
    const back = (by: Narrowed, way: readonly MailboxId[]): void => {
      onward(by, way);
      const [first] = way;
      for (const before of first === undefined ? [] : (this.#redirectsTo.get(first) ?? [])) {
        visits += 1;
        if (loop !== undefined || visits > visitsMax) return;
        const from = before.ifRecipient;
        const left = before.ruleId === rule.ruleId ? undefined : narrow(by, before);
        if (left !== undefined && from !== null && !way.includes(from)) back(left, [from, ...way]);
      }
    };
    back(own, alone);
    return { loop, longest, tangled: visits > visitsMax };
  }
}

function overlap(a: RuleRecord, b: RuleRecord): boolean {
  return a.activeFromMs < (b.activeToMs ?? endless) && b.activeFromMs < (a.activeToMs ?? endless);
}
