import type { RegistrationRecord, RegistryChange, RegistryRecords, WorkflowRecord } from '../../ledger/registry.ts';
import type {
  ApprovalRecord,
  MembershipRecord,
  RulePapers,
  RuleRecord,
  WorkflowGroupRecord,
} from '../../ledger/routing-records.ts';
import { all, run, type Talk } from '../question.ts';
import { listRules, putRule } from '../questions/routing.ts';
import * as q from '../questions/workflows.ts';

type WorkflowParts = Pick<
  RegistryRecords,
  'workflows' | 'registrations' | 'groups' | 'memberships' | 'approvals' | 'rules'
>;

/** The registry's part about workflows, who may use them, and rules. */
export function* loadWorkflows(): Talk<WorkflowParts> {
  const workflows = (yield* all(q.listWorkflows)).map(
    (row) =>
      ({
        ...row,
        restricted: row.restricted === 1,
        gpRouting: row.gpRouting === 1,
        chunking: row.chunking === 1,
        civilRegistration: row.civilRegistration === 1,
      }) as WorkflowRecord,
  );
  const groups = (yield* all(q.listGroups)).map(
    (row): WorkflowGroupRecord => ({
      ...row,
      restricted: row.restricted === 1,
      initiatorIds: JSON.parse(row.initiatorIds) as readonly string[],
      responderIds: JSON.parse(row.responderIds) as readonly string[],
    }),
  );
  const registrations = (yield* all(q.listRegistrations)) as unknown as readonly RegistrationRecord[];
  const memberships = (yield* all(q.listMemberships)) as unknown as readonly MembershipRecord[];
  const approvals: readonly ApprovalRecord[] = yield* all(q.listApprovals);
  const rules = (yield* all(listRules)).map(
    (row) =>
      ({
        ...row,
        includeReports: row.includeReports === 1,
        chainConfirmed: row.chainConfirmed === 1,
        fallbackConfirmed: row.fallbackConfirmed === 1,
        papers: JSON.parse(row.papers) as RulePapers,
      }) as RuleRecord,
  );
  return { workflows, groups, registrations, memberships, approvals, rules };
}

/** Puts and drops those rows; answers how many changed. */
export function* changeWorkflows(wanted: RegistryChange): Talk<number> {
  let rowsChanged = 0;
  for (const w of wanted.workflows ?? []) rowsChanged += yield* putWorkflow(w);
  for (const g of wanted.groups ?? []) {
    const lists = [JSON.stringify(g.initiatorIds), JSON.stringify(g.responderIds)] as const;
    const { groupId, number, name, description, owner, restricted } = g;
    rowsChanged += yield* run(q.putGroup, groupId, number, name, description, owner, restricted ? 1 : 0, ...lists);
  }
  for (const a of wanted.approvals ?? []) {
    const { approvalId, odsCode, workflowId, approvedBy, reason, validFromMs, validToMs, reviewOnMs } = a;
    const dates = [validFromMs, validToMs, reviewOnMs] as const;
    rowsChanged += yield* run(q.putApproval, approvalId, odsCode, workflowId, approvedBy, reason, ...dates);
  }
  for (const r of wanted.registrations ?? []) {
    const { mailboxId, workflowId, role, approvalId, validFromMs, validToMs } = r;
    rowsChanged += yield* run(q.putRegistration, mailboxId, workflowId, role, approvalId, validFromMs, validToMs);
  }
  for (const r of wanted.dropRegistrations ?? []) {
    rowsChanged += yield* run(q.dropRegistration, r.workflowId, r.role, r.mailboxId);
  }
  for (const m of wanted.memberships ?? []) {
    const { mailboxId, groupId, part, approvalId, validFromMs, validToMs } = m;
    rowsChanged += yield* run(q.putMembership, mailboxId, groupId, part, approvalId, validFromMs, validToMs);
  }
  for (const m of wanted.dropMemberships ?? []) {
    rowsChanged += yield* run(q.dropMembership, m.groupId, m.part, m.mailboxId);
  }
  for (const r of wanted.rules ?? []) rowsChanged += yield* put(r);
  return rowsChanged;
}

function* putWorkflow(w: WorkflowRecord): Talk<number> {
  return yield* run(
    q.putWorkflow,
    w.workflowId,
    w.title,
    w.description,
    w.owner,
    w.purpose,
    w.status,
    w.restricted ? 1 : 0,
    w.ackWorkflowId,
    w.gpRouting ? 1 : 0,
    w.sizeBytesMax,
    w.chunking ? 1 : 0,
    w.civilRegistration ? 1 : 0,
    w.payloadType,
    w.source,
  );
}

function* put(r: RuleRecord): Talk<number> {
  return yield* run(
    putRule,
    r.ruleId,
    r.version,
    r.action,
    r.status,
    r.target,
    r.ifSender,
    r.ifRecipient,
    r.workflowId,
    r.includeReports ? 1 : 0,
    r.approvalId,
    r.chainConfirmed ? 1 : 0,
    r.fallbackConfirmed ? 1 : 0,
    r.activeFromMs,
    r.activeToMs,
    r.reviewOnMs,
    JSON.stringify(r.papers),
  );
}
