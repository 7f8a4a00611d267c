import type { MailboxId } from '@openmesh/protocol';
import type { ApprovalRecord, RuleRecord } from '../../store/ledger/routing-records.ts';
import type { RegistrySnapshot } from '../snapshot.ts';
import { redirectsMax } from './apply-rules.ts';
import type { RuleBook } from './rule-book.ts';

const dayMs = 86_400_000;
/** A rule is looked at again within a year of its beginning. */
export const reviewWithinMs = 366 * dayMs;

export interface RuleSurroundings {
  readonly snapshot: RegistrySnapshot;
  readonly book: RuleBook;
  readonly approvals: readonly ApprovalRecord[];
  readonly nowMs: number;
}

type Problems = readonly string[];

/**
 * What speaks against a rule, each in a sentence that names the rule and the mailboxes it is about; empty when it may be
 * proposed. Approval asks for more: see `checkPapers`.
 */
export function checkRule(rule: RuleRecord, around: RuleSurroundings): Problems {
  const problems = [
    ...checkConditions(rule),
    ...checkDates(rule),
    ...checkMailboxes(rule, around),
    ...checkWorkflow(rule, around),
    ...(rule.action === 'redirect' ? checkWays(rule, around.book) : []),
  ];
  return problems.map((problem) => `rule ${rule.ruleId}: ${problem}`);
}

function checkConditions(rule: RuleRecord): Problems {
  const { action, target, ifSender, ifRecipient, workflowId, papers } = rule;
  const problems: string[] = [];
  if (action === 'redirect' && ifRecipient === null) problems.push('a redirect needs the recipient it takes from');
  if (action === 'copy' && ifSender === null && ifRecipient === null && workflowId === null) {
    problems.push('a copy rule needs a sender, a recipient or a workflow');
  }
  if (target === ifRecipient) {
    problems.push(
      action === 'copy'
        ? `${target} is the recipient and has the message itself`
        : `${target} cannot be redirected to itself`,
    );
  }
  if (target === ifSender && action === 'redirect') problems.push(`${target} would get back what it sends`);
  if (target === ifSender && action === 'copy' && papers.senderReason === '') {
    problems.push(`${target} is the sender: say why it is to get copies of its own messages`);
  }
  return problems;
}

function checkDates({ activeFromMs, activeToMs, reviewOnMs }: RuleRecord): Problems {
  const problems: string[] = [];
  if (activeToMs !== null && activeToMs <= activeFromMs) problems.push('it would end before it begins');
  if (reviewOnMs <= activeFromMs || reviewOnMs > activeFromMs + reviewWithinMs) {
    problems.push('its review must be after it begins and within 12 months');
  }
  return problems;
}

function checkMailboxes(rule: RuleRecord, { snapshot }: RuleSurroundings): Problems {
  const problems: string[] = [];
  const known = (id: MailboxId | null, part: string): void => {
    if (id !== null && snapshot.mailbox(id) === undefined) problems.push(`${part} ${id} is unknown`);
  };
  known(rule.ifSender, 'sender');
  known(rule.ifRecipient, 'recipient');
  known(rule.target, 'target');
  const state = snapshot.mailbox(rule.target)?.state ?? 'active';
  if (state !== 'active') problems.push(`target ${rule.target} is ${state}`);
  return problems;
}

/** The workflow a rule names must be in use, the target registered for it, and approved when it is restricted. */
function checkWorkflow(rule: RuleRecord, { snapshot, approvals, nowMs }: RuleSurroundings): Problems {
  const { workflowId, target: targetId, approvalId } = rule;
  const target = snapshot.mailbox(targetId);
  const atMs = Math.max(nowMs, rule.activeFromMs);
  const named = approvals.find((approval) => approval.approvalId === approvalId);
  const problems: string[] = [];
  if (approvalId !== null && named === undefined) problems.push(`approval ${approvalId} is unknown`);
  if (workflowId === null) return problems;
  const workflow = snapshot.workflow(workflowId);
  if (workflow === undefined) return [...problems, `workflow ${workflowId} is unknown`];
  if (workflow.status === 'withdrawn') problems.push(`workflow ${workflowId} is withdrawn`);
  if (target === undefined) return problems;
  if (!snapshot.isRegistered(target, workflowId, 'responder', atMs)) {
    problems.push(`target ${targetId} is not registered to receive ${workflowId}`);
  }
  if (!snapshot.isRestricted(workflowId)) return problems;
  const isTheirs = named?.odsCode === target.odsCode.toUpperCase() && named.workflowId === workflowId;
  if (named === undefined || !isTheirs) {
    problems.push(`${workflowId} is restricted: name an approval of ${target.odsCode} for it`);
  } else if (named.validToMs <= atMs || named.validFromMs > atMs) {
    problems.push(`approval ${named.approvalId} is not in force when the rule begins`);
  }
  return problems;
}

function checkWays(rule: RuleRecord, book: RuleBook): Problems {
  const problems = book
    .ties(rule)
    .map((other) => `rule ${other.ruleId} redirects the same messages at the same time: change or end it first`);
  const { loop, longest, tangled } = book.ways(rule);
  const hops = longest.length - 1;
  if (loop !== undefined) problems.push(`messages would go round in a circle: ${loop.join(' → ')}`);
  else if (tangled) problems.push('too many redirects lead to it or on from it');
  else if (hops > redirectsMax) {
    problems.push(`at most ${redirectsMax} redirects may follow each other: ${longest.join(' → ')}`);
  } else if (hops > 1 && !rule.chainConfirmed) {
    problems.push(`it is part of a chain, to be confirmed: ${longest.join(' → ')}`);
  }
  const hidden = book.copiesHidden(rule);
  if (hidden.length > 0 && !rule.fallbackConfirmed) {
    const copies = hidden.map(({ ruleId, target }) => `${ruleId} to ${target}`).join(', ');
    problems.push(`it stops these copies, which are made again when it ends, to be confirmed: ${copies}`);
  }
  return problems;
}

/** What an approval asks for besides: another person, and the agreement of the organisations the rule is about. */
export function checkPapers(rule: RuleRecord, approver: string): Problems {
  const { proposedBy, agreedByRecipient, agreedByTarget } = rule.papers;
  const problems: string[] = [];
  if (proposedBy === approver) problems.push(`${approver} proposed it: somebody else has to approve it`);
  if (rule.ifRecipient !== null && agreedByRecipient === '') {
    problems.push(`the agreement of the recipient's organisation is missing`);
  }
  if (agreedByTarget === '') problems.push(`the agreement of the target's organisation is missing`);
  return problems.map((problem) => `rule ${rule.ruleId}: ${problem}`);
}
