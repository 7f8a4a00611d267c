import { asks, tells } from '../question.ts';

// What the registry holds of workflows, groups and approvals. A put changes no row when the row already says the same.

export interface WorkflowRow {
  workflowId: string;
  title: string;
  description: string;
  owner: string;
  purpose: string;
  status: string;
  restricted: number;
  ackWorkflowId: string | null;
  gpRouting: number;
  sizeBytesMax: number | null;
  chunking: number;
  civilRegistration: number;
  payloadType: string;
  source: string;
}

const workflow = `select workflow_id as "workflowId", title, description, owner, purpose, status, restricted,
     ack_workflow_id as "ackWorkflowId", gp_routing as "gpRouting", size_bytes_max as "sizeBytesMax", chunking,
     civil_registration as "civilRegistration", payload_type as "payloadType", source
   from workflow`;

export const listWorkflows = asks<WorkflowRow>(
  'list-workflows',
  `${workflow} where workflow_id > $1 order by workflow_id limit $2 + 0`,
);
export const readWorkflow = asks<WorkflowRow>('read-workflow', `${workflow} where workflow_id = $1`);

export const putWorkflow = tells(
  'put-workflow',
  `insert into workflow (workflow_id, title, description, owner, purpose, status, restricted, ack_workflow_id, gp_routing,
     size_bytes_max, chunking, civil_registration, payload_type, source)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
   on conflict (workflow_id) do update
     set title = excluded.title, description = excluded.description, owner = excluded.owner, purpose = excluded.purpose,
       status = excluded.status, restricted = excluded.restricted, ack_workflow_id = excluded.ack_workflow_id,
       gp_routing = excluded.gp_routing, size_bytes_max = excluded.size_bytes_max, chunking = excluded.chunking,
       civil_registration = excluded.civil_registration, payload_type = excluded.payload_type,
       source = excluded.source
     where (workflow.title, workflow.description, workflow.owner, workflow.purpose, workflow.status, workflow.restricted,
         coalesce(workflow.ack_workflow_id, ''), workflow.gp_routing, coalesce(workflow.size_bytes_max, -1),
         workflow.chunking, workflow.civil_registration, workflow.payload_type, workflow.source)
       <> (excluded.title, excluded.description, excluded.owner, excluded.purpose, excluded.status, excluded.restricted,
         coalesce(excluded.ack_workflow_id, ''), excluded.gp_routing, coalesce(excluded.size_bytes_max, -1),
         excluded.chunking, excluded.civil_registration, excluded.payload_type, excluded.source)`,
);

export interface RegistrationRow {
  mailboxId: string;
  workflowId: string;
  role: string;
  approvalId: string | null;
  validFromMs: number;
  validToMs: number | null;
}

const registration = `select mailbox_id as "mailboxId", workflow_id as "workflowId", role, approval_id as "approvalId",
     valid_from_ms as "validFromMs", valid_to_ms as "validToMs" from registration`;

export const listRegistrations = asks<RegistrationRow>(
  'list-registrations',
  `${registration} where (workflow_id, role, mailbox_id) > ($1, $2, $3) order by workflow_id, role, mailbox_id limit $4 + 0`,
);
export const readRegistration = asks<RegistrationRow>(
  'read-registration',
  `${registration} where workflow_id = $1 and role = $2 and mailbox_id = $3`,
);

export const putRegistration = tells(
  'put-registration',
  `insert into registration (mailbox_id, workflow_id, role, approval_id, valid_from_ms, valid_to_ms)
   values ($1, $2, $3, $4, $5, $6)
   on conflict (workflow_id, role, mailbox_id) do update
     set approval_id = excluded.approval_id, valid_from_ms = excluded.valid_from_ms,
       valid_to_ms = excluded.valid_to_ms
     where (coalesce(registration.approval_id, ''), registration.valid_from_ms, coalesce(registration.valid_to_ms, -1))
       <> (coalesce(excluded.approval_id, ''), excluded.valid_from_ms, coalesce(excluded.valid_to_ms, -1))`,
);

export const dropRegistration = tells(
  'drop-registration',
  'delete from registration where workflow_id = $1 and role = $2 and mailbox_id = $3',
);

export interface GroupRow {
  groupId: string;
  number: number | null;
  name: string;
  description: string;
  owner: string;
  restricted: number;
  initiatorIds: string;
  responderIds: string;
}

const group = `select group_id as "groupId", number, name, description, owner, restricted, initiator_ids as "initiatorIds",
     responder_ids as "responderIds" from workflow_group`;

export const listGroups = asks<GroupRow>('list-groups', `${group} where group_id > $1 order by group_id limit $2 + 0`);
export const readGroup = asks<GroupRow>('read-group', `${group} where group_id = $1`);

export const putGroup = tells(
  'put-group',
  `insert into workflow_group (group_id, number, name, description, owner, restricted, initiator_ids, responder_ids)
   values ($1, $2, $3, $4, $5, $6, $7, $8)
   on conflict (group_id) do update
     set number = excluded.number, name = excluded.name, description = excluded.description, owner = excluded.owner,
       restricted = excluded.restricted, initiator_ids = excluded.initiator_ids, responder_ids = excluded.responder_ids
     where (coalesce(workflow_group.number, -1), workflow_group.name, workflow_group.description, workflow_group.owner,
         workflow_group.restricted, workflow_group.initiator_ids, workflow_group.responder_ids)
       <> (coalesce(excluded.number, -1), excluded.name, excluded.description, excluded.owner, excluded.restricted,
         excluded.initiator_ids, excluded.responder_ids)`,
);

export interface MembershipRow {
  mailboxId: string;
  groupId: string;
  part: string;
  approvalId: string | null;
  validFromMs: number;
  validToMs: number | null;
}

const membership = `select mailbox_id as "mailboxId", group_id as "groupId", part, approval_id as "approvalId",
     valid_from_ms as "validFromMs", valid_to_ms as "validToMs" from group_membership`;

export const listMemberships = asks<MembershipRow>(
  'list-memberships',
  `${membership} where (group_id, part, mailbox_id) > ($1, $2, $3) order by group_id, part, mailbox_id limit $4 + 0`,
);
export const readMembership = asks<MembershipRow>(
  'read-membership',
  `${membership} where group_id = $1 and part = $2 and mailbox_id = $3`,
);

export const putMembership = tells(
  'put-membership',
  `insert into group_membership (mailbox_id, group_id, part, approval_id, valid_from_ms, valid_to_ms)
   values ($1, $2, $3, $4, $5, $6)
   on conflict (group_id, part, mailbox_id) do update
     set approval_id = excluded.approval_id, valid_from_ms = excluded.valid_from_ms,
       valid_to_ms = excluded.valid_to_ms
     where (coalesce(group_membership.approval_id, ''), group_membership.valid_from_ms,
         coalesce(group_membership.valid_to_ms, -1))
       <> (coalesce(excluded.approval_id, ''), excluded.valid_from_ms, coalesce(excluded.valid_to_ms, -1))`,
);

export const dropMembership = tells(
  'drop-membership',
  'delete from group_membership where group_id = $1 and part = $2 and mailbox_id = $3',
);

export interface ApprovalRow {
  approvalId: string;
  odsCode: string;
  workflowId: string;
  approvedBy: string;
  reason: string;
  validFromMs: number;
  validToMs: number;
  reviewOnMs: number;
}

const approval = `select approval_id as "approvalId", ods_code as "odsCode", workflow_id as "workflowId", approved_by as "approvedBy",
     reason, valid_from_ms as "validFromMs", valid_to_ms as "validToMs", review_on_ms as "reviewOnMs"
   from approval`;

export const listApprovals = asks<ApprovalRow>(
  'list-approvals',
  `${approval} where approval_id > $1 order by approval_id limit $2 + 0`,
);
export const readApproval = asks<ApprovalRow>('read-approval', `${approval} where approval_id = $1`);

export const putApproval = tells(
  'put-approval',
  `insert into approval (approval_id, ods_code, workflow_id, approved_by, reason, valid_from_ms, valid_to_ms,
     review_on_ms)
   values ($1, $2, $3, $4, $5, $6, $7, $8)
   on conflict (approval_id) do update
     set ods_code = excluded.ods_code, workflow_id = excluded.workflow_id, approved_by = excluded.approved_by,
       reason = excluded.reason, valid_from_ms = excluded.valid_from_ms, valid_to_ms = excluded.valid_to_ms,
       review_on_ms = excluded.review_on_ms
     where (approval.ods_code, approval.workflow_id, approval.approved_by, approval.reason, approval.valid_from_ms,
         approval.valid_to_ms, approval.review_on_ms)
       <> (excluded.ods_code, excluded.workflow_id, excluded.approved_by, excluded.reason, excluded.valid_from_ms,
         excluded.valid_to_ms, excluded.review_on_ms)`,
);
