import type { RegistryChange, WorkflowRecord } from '../../ledger/registry.ts';
import type { RuleRecord } from '../../ledger/routing-records.ts';
import { run, type Talk } from '../question.ts';
import { putRule } from '../questions/routing.ts';
import * as q from '../questions/workflows.ts';

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
