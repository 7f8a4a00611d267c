-- The workflow registry, and rules that copy and redirect.

alter table workflow add column title text not null default '';
alter table workflow add column owner text not null default '';
alter table workflow add column purpose text not null default 'request'
  check (purpose in ('request', 'acknowledgement', 'report', 'event'));
alter table workflow add column ack_workflow_id text;
alter table workflow add column gp_routing integer not null default 0 check (gp_routing in (0, 1));
alter table workflow add column size_bytes_max integer;
alter table workflow add column chunking integer not null default 1 check (chunking in (0, 1));
alter table workflow add column civil_registration integer not null default 0 check (civil_registration in (0, 1));
alter table workflow add column payload_type text not null default '';
alter table workflow add column source text not null default '';

alter table registration add column approval_id text;

-- The lists of ids are JSON.
create table workflow_group (
  group_id text primary key,
  number integer,
  name text not null,
  description text not null,
  owner text not null,
  restricted integer not null check (restricted in (0, 1)),
  initiator_ids text not null,
  responder_ids text not null
) without rowid;

create table group_membership (
  group_id text not null,
  part text not null check (part in ('initiator', 'responder')),
  mailbox_id text not null,
  approval_id text,
  valid_from_ms integer not null,
  valid_to_ms integer,
  primary key (group_id, part, mailbox_id)
) without rowid;

create table approval (
  approval_id text primary key,
  ods_code text not null,
  workflow_id text not null,
  approved_by text not null,
  reason text not null,
  valid_from_ms integer not null,
  valid_to_ms integer not null,
  review_on_ms integer not null
) without rowid;

-- One row a version. What a message is decided on is columns; who asked, agreed and decided is JSON, shown and never
-- searched.
create table routing_rule (
  rule_id text not null,
  version integer not null,
  action text not null check (action in ('copy', 'redirect')),
  status text not null check (status in ('proposed', 'approved', 'superseded', 'refused', 'ended')),
  target text not null,
  if_sender text,
  if_recipient text,
  workflow_id text,
  include_reports integer not null check (include_reports in (0, 1)),
  approval_id text,
  chain_confirmed integer not null check (chain_confirmed in (0, 1)),
  fallback_confirmed integer not null check (fallback_confirmed in (0, 1)),
  active_from_ms integer not null,
  active_to_ms integer,
  review_on_ms integer not null,
  papers text not null,
  primary key (rule_id, version)
) without rowid;

-- Set only where rules or resends played a part. recipient stays the mailbox whose inbox the message is in.
alter table message add column addressed_to text;
alter table message add column made_as text check (made_as in ('copy', 'resend'));
alter table message add column made_from text;
alter table message add column origin_id text;
create index message_linked on message (linked_message_id) where linked_message_id is not null;
create index message_origin on message (origin_id) where origin_id is not null;
create index message_addressed on message (addressed_to, message_id) where addressed_to is not null;

-- What rules did to a message, for as long as its record is kept.
create table route_step (
  message_id text not null,
  step_no integer not null,
  at_ms integer not null,
  kind text not null check (kind in ('redirected', 'copied', 'redirect-skipped', 'copy-skipped')),
  rule_id text not null,
  rule_version integer not null,
  matched text not null,
  from_mailbox text not null,
  to_mailbox text not null,
  why text not null,
  copy_id text,
  primary key (message_id, step_no)
) without rowid;
