-- The record book on PostgreSQL. Texts compare byte by byte ("C"), whatever the database's own order is: ids are walked
-- in ranges. Times are milliseconds since 1970.
--
-- Message, payload, event and route_step are parted by the day that begins a message's id; days are added ahead and
-- dropped whole (postgres/days.ts). What fits no day lies in the part called _other: ids of a moved clock, and what is
-- kept longer than its day.

create table message (
  message_id text collate "C" primary key,
  state text collate "C" not null
    check (state in ('uploading', 'routing', 'accepted', 'acknowledged', 'undeliverable', 'error')),
  -- 1 uploading, 2 routing. An index on this and not on state: a message that ends otherwise would move in every index.
  unfinished smallint generated always as (case state when 'uploading' then 1 when 'routing' then 2 end) stored,
  recipient text collate "C",
  position bigint,
  sender text collate "C",
  payload_id text collate "C",
  workflow_id text collate "C" not null,
  message_type text collate "C" not null check (message_type in ('DATA', 'REPORT')),
  created_at_ms bigint not null,
  accepted_at_ms bigint,
  expires_at_ms bigint,
  state_at_ms bigint not null,
  acknowledged_at_ms bigint,
  first_listed_at_ms bigint,
  first_download_at_ms bigint,
  last_download_at_ms bigint,
  downloads bigint not null default 0,
  hide_at_ms bigint not null,
  hidden smallint not null default 0 check (hidden in (0, 1)),
  remove_at_ms bigint not null,
  status_code text collate "C" not null,
  status_event text collate "C" not null,
  status_description text collate "C" not null,
  compressed smallint not null check (compressed in (0, 1)),
  encrypted smallint not null check (encrypted in (0, 1)),
  linked_message_id text collate "C",
  local_key text collate "C",
  sealed text collate "C" not null,
  events text collate "C" not null,
  addressed_to text collate "C",
  made_as text collate "C" check (made_as in ('copy', 'resend')),
  made_from text collate "C",
  origin_id text collate "C"
) partition by range (message_id);

create index message_inbox on message (recipient, message_id) where recipient is not null;
create index message_outbox on message (sender, message_id) where sender is not null;
create index message_local_key on message (sender, local_key) where local_key is not null;
create index message_linked on message (linked_message_id) where linked_message_id is not null;
create index message_addressed on message (addressed_to, message_id) where addressed_to is not null;
create index message_origin on message (origin_id) where origin_id is not null;
create index message_unfinished on message (created_at_ms, message_id) where unfinished is not null;
create index message_to_hide on message (hide_at_ms) where hidden = 0;
create index message_to_remove on message (remove_at_ms) where hidden = 1;

-- Room in each page for the row as its recipient's confirmation makes it.
create table message_other partition of message default with (fillfactor = 80);

create table payload (
  payload_id text collate "C" primary key,
  total_chunks bigint not null,
  stored_chunks bigint not null,
  size_bytes bigint not null,
  content_encoding text collate "C" not null check (content_encoding in ('', 'gzip')),
  keep_until_ms bigint not null,
  deleted_at_ms bigint,
  key_id text collate "C",
  wrapped_key text collate "C",
  sha256 text collate "C",
  block_digests text collate "C",
  body_ref text collate "C",
  stored_at_ms bigint,
  -- Bodies are packed or encrypted by whoever sends them: packing them again takes time and saves nothing.
  inline_body bytea
) partition by range (payload_id);

alter table payload alter column inline_body set storage external;
create index payload_due on payload (keep_until_ms) where deleted_at_ms is null;
create index payload_body_ref on payload (body_ref) where body_ref is not null;
create table payload_other partition of payload default;

create table chunk (
  payload_id text collate "C" not null,
  chunk_number bigint not null,
  size_bytes bigint not null,
  sha256 text collate "C" not null,
  block_digests text collate "C" not null,
  body_ref text collate "C",
  inline_body bytea,
  stored_at_ms bigint not null,
  primary key (payload_id, chunk_number)
);

alter table chunk alter column inline_body set storage external;
create index chunk_body_ref on chunk (body_ref) where body_ref is not null;

create table event (
  message_id text collate "C" not null,
  event_no bigint not null,
  at_ms bigint not null,
  actor text collate "C" not null,
  kind text collate "C" not null,
  detail text collate "C" not null,
  primary key (message_id, event_no)
) partition by range (message_id);

create table event_other partition of event default;

create table route_step (
  message_id text collate "C" not null,
  step_no bigint not null,
  at_ms bigint not null,
  kind text collate "C" not null check (kind in ('redirected', 'copied', 'redirect-skipped', 'copy-skipped')),
  rule_id text collate "C" not null,
  rule_version bigint not null,
  matched text collate "C" not null,
  from_mailbox text collate "C" not null,
  to_mailbox text collate "C" not null,
  why text collate "C" not null,
  copy_id text collate "C",
  primary key (message_id, step_no)
) partition by range (message_id);

create table route_step_other partition of route_step default;

-- One row for each mailbox, changed by every message that comes and goes: few rows to a page, so that each stays there.
create table inbox_counter (
  mailbox_id text collate "C" primary key,
  waiting bigint not null,
  next_position bigint not null
) with (fillfactor = 20);

create table inbox_entry (
  mailbox_id text collate "C" not null,
  position bigint not null,
  message_id text collate "C" not null,
  workflow_id text collate "C" not null,
  expires_at_ms bigint not null,
  primary key (mailbox_id, position)
);

create index inbox_entry_due on inbox_entry (expires_at_ms);

-- Claims of tokens, shared by all nodes. They are swept by their date, in the order they were made.
create table nonce (
  mailbox_id text collate "C" not null,
  nonce text collate "C" not null,
  seen_at_ms bigint not null,
  expires_at_ms bigint not null,
  primary key (mailbox_id, nonce)
) partition by hash (mailbox_id);

create index nonce_due on nonce using brin (expires_at_ms) with (pages_per_range = 16);
create table nonce_0 partition of nonce for values with (modulus 8, remainder 0);
create table nonce_1 partition of nonce for values with (modulus 8, remainder 1);
create table nonce_2 partition of nonce for values with (modulus 8, remainder 2);
create table nonce_3 partition of nonce for values with (modulus 8, remainder 3);
create table nonce_4 partition of nonce for values with (modulus 8, remainder 4);
create table nonce_5 partition of nonce for values with (modulus 8, remainder 5);
create table nonce_6 partition of nonce for values with (modulus 8, remainder 6);
create table nonce_7 partition of nonce for values with (modulus 8, remainder 7);

create table idempotency (
  mailbox_id text collate "C" not null,
  key text collate "C" not null,
  fingerprint text collate "C" not null,
  message_id text collate "C" not null,
  expires_at_ms bigint not null,
  primary key (mailbox_id, key)
);

create index idempotency_due on idempotency (expires_at_ms);

-- A row for each transaction of commands, written in it: whoever lost the connection while it was being committed finds
-- out whether it was.
create table commit_receipt (
  receipt uuid primary key,
  at timestamptz not null default now()
);

create index commit_receipt_at on commit_receipt using brin (at);

create table meta (
  key text collate "C" primary key,
  value text collate "C" not null
);

create table lease (
  name text collate "C" primary key,
  holder text collate "C" not null,
  until_ms bigint not null
);

-- Raised by every change of the registry.
create table registry_version (
  one smallint primary key check (one = 1),
  version bigint not null
);

insert into registry_version (one, version) values (1, 0);

create table mailbox (
  mailbox_id text collate "C" primary key,
  name text collate "C" not null,
  ods_code text collate "C" not null,
  org_code text collate "C" not null,
  org_name text collate "C" not null,
  billing_entity text collate "C" not null,
  state text collate "C" not null check (state in ('active', 'disabled', 'closed')),
  certificate_match text collate "C" check (certificate_match in ('off', 'warn', 'enforce')),
  delegated_ods_codes text collate "C" not null,
  receives_chunked bigint not null check (receives_chunked in (0, 1))
);

create index mailbox_organisation on mailbox (upper(ods_code));

create table credential (
  credential_id text collate "C" primary key,
  mailbox_id text collate "C" not null,
  kind text collate "C" not null check (kind = 'password'),
  sealed text collate "C" not null,
  valid_from_ms bigint not null,
  valid_to_ms bigint
);

create table certificate (
  fingerprint text collate "C" primary key,
  serial text collate "C" not null,
  subject text collate "C" not null,
  mailbox_id text collate "C",
  revoked_at_ms bigint
);

create table connection (
  mailbox_id text collate "C" not null,
  client_version text collate "C" not null,
  os_name text collate "C" not null,
  os_version text collate "C" not null,
  os_architecture text collate "C" not null,
  java_version text collate "C" not null,
  user_agent text collate "C" not null,
  at_ms bigint not null,
  primary key (mailbox_id, client_version, os_name, os_version, os_architecture, java_version, user_agent)
);

create table workflow (
  workflow_id text collate "C" primary key,
  title text collate "C" not null default '',
  description text collate "C" not null,
  owner text collate "C" not null default '',
  purpose text collate "C" not null default 'request'
    check (purpose in ('request', 'acknowledgement', 'report', 'event')),
  status text collate "C" not null check (status in ('draft', 'live', 'deprecated', 'withdrawn')),
  restricted bigint not null check (restricted in (0, 1)),
  ack_workflow_id text collate "C",
  gp_routing bigint not null default 0 check (gp_routing in (0, 1)),
  size_bytes_max bigint,
  chunking bigint not null default 1 check (chunking in (0, 1)),
  civil_registration bigint not null default 0 check (civil_registration in (0, 1)),
  payload_type text collate "C" not null default '',
  source text collate "C" not null default ''
);

create table registration (
  workflow_id text collate "C" not null,
  role text collate "C" not null check (role in ('initiator', 'responder')),
  mailbox_id text collate "C" not null,
  valid_from_ms bigint not null,
  valid_to_ms bigint,
  approval_id text collate "C",
  primary key (workflow_id, role, mailbox_id)
);

create table workflow_group (
  group_id text collate "C" primary key,
  number bigint,
  name text collate "C" not null,
  description text collate "C" not null,
  owner text collate "C" not null,
  restricted bigint not null check (restricted in (0, 1)),
  initiator_ids text collate "C" not null,
  responder_ids text collate "C" not null
);

create table group_membership (
  group_id text collate "C" not null,
  part text collate "C" not null check (part in ('initiator', 'responder')),
  mailbox_id text collate "C" not null,
  approval_id text collate "C",
  valid_from_ms bigint not null,
  valid_to_ms bigint,
  primary key (group_id, part, mailbox_id)
);

create table approval (
  approval_id text collate "C" primary key,
  ods_code text collate "C" not null,
  workflow_id text collate "C" not null,
  approved_by text collate "C" not null,
  reason text collate "C" not null,
  valid_from_ms bigint not null,
  valid_to_ms bigint not null,
  review_on_ms bigint not null
);

create table routing_rule (
  rule_id text collate "C" not null,
  version bigint not null,
  action text collate "C" not null check (action in ('copy', 'redirect')),
  status text collate "C" not null check (status in ('proposed', 'approved', 'superseded', 'refused', 'ended')),
  target text collate "C" not null,
  if_sender text collate "C",
  if_recipient text collate "C",
  workflow_id text collate "C",
  include_reports bigint not null check (include_reports in (0, 1)),
  approval_id text collate "C",
  chain_confirmed bigint not null check (chain_confirmed in (0, 1)),
  fallback_confirmed bigint not null check (fallback_confirmed in (0, 1)),
  active_from_ms bigint not null,
  active_to_ms bigint,
  review_on_ms bigint not null,
  papers text collate "C" not null,
  primary key (rule_id, version)
);

create table refusal (
  refusal_id text collate "C" primary key,
  at_ms bigint not null,
  reason text collate "C" not null,
  detail text collate "C" not null,
  mailbox_id text collate "C",
  operation text collate "C",
  status bigint,
  address text collate "C",
  certificate_serial text collate "C",
  correlation_id text collate "C",
  count bigint not null
);

create index refusal_address on refusal (address, at_ms) where address is not null;
create index refusal_at on refusal (at_ms);
create index refusal_certificate on refusal (certificate_serial, at_ms) where certificate_serial is not null;
create index refusal_mailbox on refusal (mailbox_id, at_ms) where mailbox_id is not null;

create table audit (
  entry_no bigint primary key,
  at_ms bigint not null,
  actor text collate "C" not null,
  action text collate "C" not null,
  subject text collate "C" not null,
  detail text collate "C" not null,
  hash text collate "C" not null
);

create table organisation (
  ods_code text collate "C" primary key,
  name text collate "C" not null,
  active bigint not null check (active in (0, 1)),
  record_class text collate "C" not null,
  primary_role text collate "C" not null,
  roles text collate "C" not null,
  legal_from text collate "C",
  legal_to text collate "C",
  operational_from text collate "C",
  operational_to text collate "C",
  address text collate "C" not null,
  telephone text collate "C" not null,
  last_change text collate "C"
);

create table organisation_link (
  from_code text collate "C" not null,
  kind text collate "C" not null check (kind in ('relationship', 'succession')),
  type text collate "C" not null,
  to_code text collate "C" not null,
  from_date text collate "C" not null,
  to_date text collate "C",
  active bigint not null check (active in (0, 1)),
  primary key (from_code, kind, type, to_code, from_date)
);

create table directory_alert (
  alert_no bigint generated always as identity primary key,
  at_ms bigint not null,
  ods_code text collate "C" not null,
  kind text collate "C" not null check (kind in ('closed', 'closing', 'renamed', 'succeeded')),
  detail text collate "C" not null,
  announced_at_ms bigint
);

create index directory_alert_code on directory_alert (ods_code, alert_no);
create index directory_alert_new on directory_alert (alert_no) where announced_at_ms is null;
