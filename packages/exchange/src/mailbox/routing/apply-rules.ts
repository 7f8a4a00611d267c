import type { MailboxId } from '@openmesh/protocol';
import type { MailboxRecord } from '../../store/ledger/registry.ts';
import type { RouteStep, RouteStepKind, RuleRecord } from '../../store/ledger/routing-records.ts';
import type { RegistrySnapshot } from '../snapshot.ts';
import { conditionsInWords } from './rule-index.ts';

/** Redirects followed for one message; a longer way is treated as one that leads nowhere. */
export const redirectsMax = 3;

/** A message as far as rules look at it, its address resolved and allowed. */
export interface Addressed {
  readonly sender: MailboxId | null;
  readonly mailbox: MailboxRecord;
  readonly workflowId: string;
  readonly totalChunks: number;
  readonly isReport: boolean;
}

export interface RuledCopy {
  readonly mailbox: MailboxRecord;
  /** Where its step lies in `steps`. */
  readonly stepIndex: number;
}

/** Where rules take a message. */
export interface Ruled {
  /** Whose inbox the message itself goes to; the addressed one unless a redirect applied. */
  readonly mailbox: MailboxRecord;
  readonly copies: readonly RuledCopy[];
  /** What each rule that matched did, or why it did nothing. */
  readonly steps: readonly RouteStep[];
  /** A redirect matched and could not be followed. */
  readonly redirectFailed: boolean;
}

const noCopies: readonly RuledCopy[] = [];
const noSteps: readonly RouteStep[] = [];

function step(rule: RuleRecord, kind: RouteStepKind, from: MailboxId, why: string): RouteStep {
  const { ruleId, version: ruleVersion, target: to } = rule;
  return { kind, ruleId, ruleVersion, matched: conditionsInWords(rule), from, to, why, copyId: null };
}

/**
 * Why a target may not have the message at `nowMs`; undefined when it may. It stands to a rule as a recipient stands to
 * a sender: active, registered for workflows that are known, approved for restricted ones.
 */
export function objectionToTarget(
  snapshot: RegistrySnapshot,
  target: MailboxRecord | undefined,
  message: Pick<Addressed, 'workflowId' | 'totalChunks' | 'isReport'>,
  nowMs: number,
): string | undefined {
  if (target === undefined) return 'the target is unknown';
  if (target.state !== 'active') return `the target is ${target.state}`;
  const { workflowId } = message;
  if (!message.isReport && message.totalChunks > 1 && !target.receivesChunked) {
    return 'the target takes no messages in several chunks';
  }
  if (snapshot.isRestricted(workflowId) && !snapshot.isApproved(target.odsCode, workflowId, nowMs)) {
    return 'the workflow is restricted and the target has no approval in force';
  }
  const isKnown = snapshot.workflow(workflowId) !== undefined;
  if (!message.isReport && isKnown && !snapshot.isRegistered(target, workflowId, 'responder', nowMs)) {
    return 'the target is not registered for the workflow';
  }
  return undefined;
}

/** A rule without a workflow says nothing of restricted ones, unless the target was approved for that one. */
function passesOver(snapshot: RegistrySnapshot, rule: RuleRecord, { workflowId }: Addressed, nowMs: number): boolean {
  if (rule.workflowId !== null || !snapshot.isRestricted(workflowId)) return false;
  const target = snapshot.mailbox(rule.target);
  return target === undefined || !snapshot.isApproved(target.odsCode, workflowId, nowMs);
}

interface Followed {
  readonly mailbox: MailboxRecord;
  readonly steps: readonly RouteStep[];
  readonly failed: boolean;
}

/** Follows redirects from the addressed mailbox. What loops or does not end leaves the message where it was addressed. */
function follow(snapshot: RegistrySnapshot, message: Addressed, nowMs: number): Followed {
  const { mailbox: addressed, sender } = message;
  const steps: RouteStep[] = [];
  const visited = new Set<MailboxId>([addressed.mailboxId]);
  let mailbox = addressed;
  for (;;) {
    const subject = { ...message, recipient: mailbox.mailboxId };
    const rule = snapshot.rules.redirect(subject, nowMs);
    if (rule === undefined || passesOver(snapshot, rule, message, nowMs)) return { mailbox, steps, failed: false };
    const from = mailbox.mailboxId;
    const back = visited.has(rule.target) ? 'it would lead back' : undefined;
    if (back !== undefined || visited.size > redirectsMax) {
      const why = back ?? `more than ${redirectsMax} redirects follow each other`;
      const skipped = step(rule, 'redirect-skipped', from, `${why}: delivered as addressed`);
      return { mailbox: addressed, steps: [skipped], failed: true };
    }
    const target = snapshot.mailbox(rule.target);
    const objection =
      rule.target === sender ? 'the target is the sender' : objectionToTarget(snapshot, target, message, nowMs);
    if (target === undefined || objection !== undefined) {
      steps.push(step(rule, 'redirect-skipped', from, objection ?? ''));
      // A later redirect that fails leaves the message where the earlier ones rightly took it.
      return { mailbox, steps, failed: mailbox === addressed };
    }
    steps.push(step(rule, 'redirected', from, ''));
    visited.add(rule.target);
    mailbox = target;
  }
}

function copy(
  snapshot: RegistrySnapshot,
  message: Addressed,
  nowMs: number,
): { readonly copies: readonly RuledCopy[]; readonly steps: readonly RouteStep[] } {
  const { mailbox: addressed, sender } = message;
  const rules = snapshot.rules.copies({ ...message, recipient: addressed.mailboxId }, nowMs);
  const copies: RuledCopy[] = [];
  const steps: RouteStep[] = [];
  const targets = new Set<MailboxId>();
  for (const rule of rules) {
    // One copy to a target: the rule with the lowest id makes it.
    if (targets.has(rule.target) || passesOver(snapshot, rule, message, nowMs)) continue;
    const target = snapshot.mailbox(rule.target);
    const objection = objectionToCopy(snapshot, rule, target, message, nowMs);
    const from = addressed.mailboxId;
    if (target === undefined || objection !== undefined) {
      steps.push(step(rule, 'copy-skipped', from, objection ?? ''));
      continue;
    }
    targets.add(rule.target);
    copies.push({ mailbox: target, stepIndex: steps.length });
    steps.push(step(rule, 'copied', from, rule.target === sender ? rule.papers.senderReason : ''));
  }
  return { copies, steps };
}

function objectionToCopy(
  snapshot: RegistrySnapshot,
  rule: RuleRecord,
  target: MailboxRecord | undefined,
  message: Addressed,
  nowMs: number,
): string | undefined {
  if (rule.target === message.mailbox.mailboxId) return 'the target has the message itself';
  if (rule.target === message.sender && rule.papers.senderReason === '') return 'the target is the sender';
  return objectionToTarget(snapshot, target, message, nowMs);
}

/**
 * Where rules take a message that may go to the mailbox it is addressed to. Pure. Redirects come first and win: a
 * redirected message is not copied. Copies are not routed again, and each target gets one at most. Whatever the rules
 * say, the message itself goes to exactly one mailbox.
 */
export function applyRules(snapshot: RegistrySnapshot, message: Addressed, nowMs: number): Ruled {
  const { mailbox } = message;
  if (snapshot.rules.size === 0) return { mailbox, copies: noCopies, steps: noSteps, redirectFailed: false };
  const followed = follow(snapshot, message, nowMs);
  if (followed.mailbox !== mailbox) {
    return { mailbox: followed.mailbox, copies: noCopies, steps: followed.steps, redirectFailed: false };
  }
  const made = copy(snapshot, message, nowMs);
  const before = followed.steps.length;
  return {
    mailbox,
    copies: before === 0 ? made.copies : made.copies.map((each) => ({ ...each, stepIndex: each.stepIndex + before })),
    steps: [...followed.steps, ...made.steps],
    redirectFailed: followed.failed,
  };
}
