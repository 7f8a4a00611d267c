import { asks, tells } from '../question.ts';

export interface RuleRow {
  ruleId: string;
  version: number;
  action: string;
  status: string;
  target: string;
  ifSender: string | null;
  ifRecipient: string | null;
  workflowId: string | null;
  includeReports: number;
  approvalId: string | null;
  chainConfirmed: number;
  fallbackConfirmed: number;
  activeFromMs: number;
  activeToMs: number | null;
  reviewOnMs: number;
  papers: string;
}

const rule = `select rule_id as "ruleId", version, action, status, target, if_sender as "ifSender", if_recipient as "ifRecipient",
     workflow_id as "workflowId", include_reports as "includeReports", approval_id as "approvalId",
     chain_confirmed as "chainConfirmed", fallback_confirmed as "fallbackConfirmed",
     active_from_ms as "activeFromMs", active_to_ms as "activeToMs", review_on_ms as "reviewOnMs", papers
   from routing_rule`;

export const listRules = asks<RuleRow>(
  'list-rules',
  `${rule} where (rule_id, version) > ($1, $2) order by rule_id, version limit $3 + 0`,
);
export const readRule = asks<RuleRow>('read-rule', `${rule} where rule_id = $1 and version = $2`);

/** What a version says never changes, but for its status, its end and who decided: a change is another version. */
export const putRule = tells(
  'put-rule',
  `insert into routing_rule (rule_id, version, action, status, target, if_sender, if_recipient, workflow_id,
     include_reports, approval_id, chain_confirmed, fallback_confirmed, active_from_ms, active_to_ms, review_on_ms,
     papers)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
   on conflict (rule_id, version) do update
     set status = excluded.status, active_to_ms = excluded.active_to_ms, papers = excluded.papers
     where (routing_rule.status, coalesce(routing_rule.active_to_ms, -1), routing_rule.papers)
       <> (excluded.status, coalesce(excluded.active_to_ms, -1), excluded.papers)`,
);

/** After the row of the message itself, which is written in the same way for every message. */
export const noteRouting = tells(
  'note-routing',
  `update message set addressed_to = $2, made_as = $3, made_from = $4, origin_id = $5 where message_id = $1`,
);

export const moveRecipient = tells('move-recipient', 'update message set recipient = $2 where message_id = $1');

export const insertStep = tells(
  'insert-route-step',
  `insert into route_step (message_id, step_no, at_ms, kind, rule_id, rule_version, matched, from_mailbox, to_mailbox,
     why, copy_id)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
   on conflict (message_id, step_no) do nothing`,
);

export const dropSteps = tells('drop-route-steps', 'delete from route_step where message_id = $1');

export interface StepRow {
  messageId: string;
  atMs: number;
  kind: string;
  ruleId: string;
  ruleVersion: number;
  matched: string;
  from: string;
  to: string;
  why: string;
  copyId: string | null;
}

const step = `select s.message_id as "messageId", s.at_ms as "atMs", s.kind, s.rule_id as "ruleId",
     s.rule_version as "ruleVersion", s.matched, s.from_mailbox as "from", s.to_mailbox as "to", s.why,
     s.copy_id as "copyId" from route_step s`;

export const readSteps = asks<StepRow>('read-route-steps', `${step} where s.message_id = $1 order by s.step_no`);

/**
 * The message everything else was made from or is about: copies and resends name it, a report names what it tells of. The
 * cross joins keep the engine from walking all messages to find those few.
 */
const origin = `with origin as (
     select coalesce(a.origin_id, a.message_id, m.origin_id, m.message_id) as id
     from message m
       left join message a on m.message_type = 'REPORT' and a.message_id = m.linked_message_id
     where m.message_id = $1),
   kin as (
     select id from origin
     union select m.message_id from origin cross join message m where m.origin_id = origin.id),
   family as (
     select id from kin
     union select m.message_id from kin cross join message m where m.linked_message_id = kin.id)`;

export interface KinRow {
  messageId: string;
  messageType: string;
  sender: string | null;
  recipient: string | null;
  addressedTo: string | null;
  madeAs: string | null;
  madeFrom: string | null;
  linkedMessageId: string | null;
  workflowId: string;
  state: string;
  statusCode: string;
  payloadId: string | null;
  createdAtMs: number;
  stateAtMs: number;
}

export const listFamily = asks<KinRow>(
  'list-family',
  `${origin}
   select m.message_id as "messageId", m.message_type as "messageType", m.sender, m.recipient,
     m.addressed_to as "addressedTo", m.made_as as "madeAs", m.made_from as "madeFrom",
     m.linked_message_id as "linkedMessageId", m.workflow_id as "workflowId", m.state, m.status_code as "statusCode",
     m.payload_id as "payloadId", m.created_at_ms as "createdAtMs", m.state_at_ms as "stateAtMs"
   from message m where m.message_id in (select id from family) order by m.message_id limit $2 + 0`,
);

export interface TrafficRow {
  messageId: string;
  messageType: string;
  sender: string | null;
  addressed: string | null;
  workflowId: string;
  totalChunks: number | null;
  createdAtMs: number;
}

const traffic = `select m.message_id as "messageId", m.message_type as "messageType", m.sender,
     coalesce(m.addressed_to, m.recipient) as addressed, m.workflow_id as "workflowId",
     p.total_chunks as "totalChunks", m.created_at_ms as "createdAtMs"`;
const sent = `m.message_id > $1 and m.made_as is null and m.state <> 'error' and m.state <> 'uploading'`;

const sentRows = `${traffic} from message m left join payload p on p.payload_id = m.payload_id where ${sent}`;
const filed = 'm.filed = 1 order by m.message_id limit $2 + 0';
/** Of the messages that are not filed yet: few, found by looking at each of them. */
const unfiled = `m.filed = 0 and m.message_no > (select filing.message_no from filing where filing.one = 1)
   order by m.message_id limit $2 + 0`;
const addressedHere = 'm.recipient = $3 and m.addressed_to is null';

/** Ids begin with their day, so that a walk along them begins where the days asked for begin. */
export const listTraffic = asks<TrafficRow>('list-traffic', `${sentRows} order by m.message_id limit $2 + 0`);
export const listTrafficFrom = asks<TrafficRow>('list-traffic-from', `${sentRows} and m.sender = $3 and ${filed}`);
export const listNewTrafficFrom = asks<TrafficRow>(
  'list-new-traffic-from',
  `${sentRows} and m.sender = $3 and ${unfiled}`,
);
export const listTrafficTo = asks<TrafficRow>('list-traffic-to', `${sentRows} and ${addressedHere} and ${filed}`);
export const listNewTrafficTo = asks<TrafficRow>(
  'list-new-traffic-to',
  `${sentRows} and ${addressedHere} and ${unfiled}`,
);
/** What a rule took elsewhere. */
export const listTrafficPast = asks<TrafficRow>(
  'list-traffic-past',
  `${sentRows} and m.addressed_to = $3 order by m.message_id limit $2 + 0`,
);
