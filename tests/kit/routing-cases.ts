import { readFileSync } from 'node:fs';
import { workflowDefaults } from '@openmesh/exchange/store/ledger/registry.ts';
import type { ApprovalRecord, RuleRecord } from '@openmesh/exchange/store/ledger/routing-records.ts';
import type { MailboxId } from '@openmesh/protocol';
import type { RegistrySeeds } from './seeded-registry.ts';

/** A rule as `conformance/routing/rules.json` writes it: in force from yesterday without an end, unless it says otherwise. */
export interface CaseRule {
  readonly id: string;
  readonly action: 'copy' | 'redirect';
  readonly to: string;
  readonly ifSender?: string;
  readonly ifRecipient?: string;
  readonly workflow?: string;
  readonly reports?: boolean;
  readonly approval?: string;
  readonly fromDay?: number;
  readonly untilDay?: number;
  readonly reviewDay?: number;
  readonly senderReason?: string;
  readonly status?: RuleRecord['status'];
  readonly chainConfirmed?: boolean;
  readonly fallbackConfirmed?: boolean;
}

interface CaseApproval {
  readonly id: string;
  readonly org: string;
  readonly workflow: string;
  readonly fromDay?: number;
  readonly untilDay: number;
}

export interface Expected {
  readonly to?: string;
  readonly copies?: readonly string[];
  readonly byRules?: readonly string[];
  readonly skipped?: readonly string[];
  readonly refused?: string;
  readonly report?: string;
  readonly keepsId?: boolean;
  readonly copyHeaders?: Readonly<Record<string, string>>;
  readonly copyHeadersAbsent?: readonly string[];
  readonly senderSees?: { readonly recipient: string; readonly afterCollection: string };
  readonly copiesUnknownToSender?: boolean;
  readonly uncollected?: 'all' | 'copies';
  readonly reports?: readonly string[];
  readonly sharesBytes?: boolean;
}

interface CaseParts {
  readonly case: string;
  readonly says: string;
  readonly rules: readonly CaseRule[];
  readonly approvals?: readonly CaseApproval[];
}

export interface MessageCase extends CaseParts {
  readonly message: {
    readonly from: string;
    readonly to: string;
    readonly workflow: string;
    readonly chunks?: number;
    readonly report?: boolean;
  };
  readonly expect: Expected;
}

export interface SaveCase extends CaseParts {
  readonly save: CaseRule;
  /** Words of the refusal; null when the rule is taken. */
  readonly refused: string | null;
}

interface CaseFile {
  readonly mailboxes: Readonly<Record<string, string>>;
  readonly disabled: readonly string[];
  readonly workflows: Readonly<Record<string, { readonly acknowledgedBy?: string; readonly restricted?: boolean }>>;
  readonly receivers: Readonly<Record<string, readonly string[]>>;
  readonly senders: Readonly<Record<string, readonly string[]>>;
  readonly cases: readonly (MessageCase | SaveCase)[];
}

const dayMs = 86_400_000;
const file = JSON.parse(
  readFileSync(new URL('../../conformance/routing/rules.json', import.meta.url), 'utf8'),
) as CaseFile;

const isSave = (each: MessageCase | SaveCase): each is SaveCase => 'save' in each;
export const saveCases: readonly SaveCase[] = file.cases.filter(isSave);
export const messageCases: readonly MessageCase[] = file.cases.filter((each): each is MessageCase => !isSave(each));

function mailboxOrNull(text: string | undefined): MailboxId | null {
  return text === undefined ? null : (text as MailboxId);
}

export function ruleOf(rule: CaseRule, nowMs: number): RuleRecord {
  const activeFromMs = nowMs + (rule.fromDay ?? -1) * dayMs;
  return {
    ruleId: rule.id,
    version: 1,
    action: rule.action,
    status: rule.status ?? 'approved',
    target: rule.to as MailboxId,
    ifSender: mailboxOrNull(rule.ifSender),
    ifRecipient: mailboxOrNull(rule.ifRecipient),
    workflowId: rule.workflow ?? null,
    includeReports: rule.reports ?? false,
    approvalId: rule.approval ?? null,
    chainConfirmed: rule.chainConfirmed ?? false,
    fallbackConfirmed: rule.fallbackConfirmed ?? false,
    activeFromMs,
    activeToMs: rule.untilDay === undefined ? null : nowMs + rule.untilDay * dayMs,
    reviewOnMs: activeFromMs + (rule.reviewDay ?? 180) * dayMs,
    papers: {
      reason: 'a test',
      lawfulBasis: 'none is needed',
      requestedBy: 'the requester',
      agreedByRecipient: 'letter 1',
      agreedByTarget: 'letter 2',
      senderReason: rule.senderReason ?? '',
      proposedBy: 'one',
      proposedAtMs: nowMs - 3 * dayMs,
      decidedBy: 'two',
      decidedAtMs: nowMs - 2 * dayMs,
    },
  };
}

export function approvalsOf({ approvals = [] }: CaseParts, nowMs: number): readonly ApprovalRecord[] {
  return approvals.map(({ id, org, workflow, fromDay = -60, untilDay }) => ({
    approvalId: id,
    odsCode: org,
    workflowId: workflow,
    approvedBy: 'the programme',
    reason: '',
    validFromMs: nowMs + fromDay * dayMs,
    validToMs: nowMs + untilDay * dayMs,
    reviewOnMs: nowMs + untilDay * dayMs,
  }));
}

/** The mailboxes, workflows and registrations that all cases share. */
export function sharedSeeds(): Required<Pick<RegistrySeeds, 'mailboxes' | 'workflows' | 'registrations'>> {
  const roles = [
    ['responder', file.receivers],
    ['initiator', file.senders],
  ] as const;
  return {
    mailboxes: Object.entries(file.mailboxes).map(([id, odsCode]) => ({
      id,
      odsCode,
      orgCode: odsCode,
      state: file.disabled.includes(id) ? 'disabled' : 'active',
    })),
    workflows: Object.entries(file.workflows).map(([workflowId, { acknowledgedBy, restricted }]) => ({
      ...workflowDefaults,
      workflowId,
      restricted: restricted ?? false,
      ackWorkflowId: acknowledgedBy ?? null,
    })),
    registrations: roles.flatMap(([role, lists]) =>
      Object.entries(lists).flatMap(([workflowId, ids]) => ids.map((mailbox) => ({ mailbox, workflowId, role }))),
    ),
  };
}
