CREATE TABLE alert (
  code text not null,
  subject text not null,
  sentence text not null,
  seen_at_ms integer not null,
  told_at_ms integer,
  primary key (code, subject)
) without rowid;

CREATE INDEX alert_untold on alert (seen_at_ms) where told_at_ms is null;

CREATE TABLE approval (
  approval_id text primary key,
  ods_code text not null,
  workflow_id text not null,
  approved_by text not null,
  reason text not null,
  valid_from_ms integer not null,
  valid_to_ms integer not null,
  review_on_ms integer not null
) without rowid;

CREATE TABLE audit (
  entry_no integer primary key,
  at_ms integer not null,
  actor text not null,
  action text not null,
  subject text not null,
  detail text not null,
  hash text not null
);

CREATE TABLE certificate (
  fingerprint text primary key,
  serial text not null,
  subject text not null,
  mailbox_id text,
  revoked_at_ms integer
) without rowid;

CREATE TABLE chunk (
  payload_id text not null,
  chunk_number integer not null,
  size_bytes integer not null,
  sha256 text not null,
  block_digests text not null,
  body_ref text,
  inline_body blob,
  stored_at_ms integer not null,
  primary key (payload_id, chunk_number)
);

CREATE INDEX chunk_body_ref on chunk (body_ref) where body_ref is not null;

CREATE TABLE connection (
  mailbox_id text not null,
  client_version text not null,
  os_name text not null,
  os_version text not null,
  os_architecture text not null,
  java_version text not null,
  user_agent text not null,
  at_ms integer not null,
  primary key (mailbox_id, client_version, os_name, os_version, os_architecture, java_version, user_agent)
) without rowid;

CREATE TABLE credential (
  credential_id text primary key,
  mailbox_id text not null,
  kind text not null check (kind = 'password'),
  sealed text not null,
  valid_from_ms integer not null,
  valid_to_ms integer
) without rowid;

CREATE TABLE directory_alert (
  alert_no integer primary key,
  at_ms integer not null,
  ods_code text not null,
  kind text not null check (kind in ('closed', 'closing', 'renamed', 'succeeded')),
  detail text not null,
  announced_at_ms integer
);

CREATE INDEX directory_alert_code on directory_alert (ods_code, alert_no);

CREATE INDEX directory_alert_new on directory_alert (alert_no) where announced_at_ms is null;

CREATE TABLE event (
  message_id text not null,
  event_no integer not null,
  at_ms integer not null,
  actor text not null,
  kind text not null,
  detail text not null,
  primary key (message_id, event_no)
) without rowid;

CREATE TABLE filing (
  one integer primary key check (one = 1),
  message_no integer not null
);

CREATE TABLE group_membership (
  group_id text not null,
  part text not null check (part in ('initiator', 'responder')),
  mailbox_id text not null,
  approval_id text,
  valid_from_ms integer not null,
  valid_to_ms integer,
  primary key (group_id, part, mailbox_id)
) without rowid;

CREATE TABLE idempotency (
  mailbox_id text not null,
  key text not null,
  fingerprint text not null,
  message_id text not null,
  expires_at_ms integer not null,
  primary key (mailbox_id, key)
) without rowid;

CREATE INDEX idempotency_due on idempotency (expires_at_ms);

CREATE TABLE inbox_counter (
  mailbox_id text primary key,
  waiting integer not null,
  next_position integer not null
) without rowid;

CREATE TABLE inbox_entry (
  mailbox_id text not null,
  position integer not null,
  message_id text not null,
  workflow_id text not null,
  expires_at_ms integer not null,
  primary key (mailbox_id, position)
) without rowid;

CREATE INDEX inbox_entry_due on inbox_entry (expires_at_ms);

CREATE TABLE lease (
  name text primary key,
  holder text not null,
  until_ms integer not null
) without rowid;

CREATE TABLE mailbox (
  mailbox_id text primary key,
  name text not null,
  ods_code text not null,
  org_code text not null,
  org_name text not null,
  billing_entity text not null,
  state text not null check (state in ('active', 'disabled', 'closed')),
  certificate_match text check (certificate_match in ('off', 'warn', 'enforce')),
  delegated_ods_codes text not null,
  receives_chunked integer not null check (receives_chunked in (0, 1))
) without rowid;

CREATE INDEX mailbox_organisation on mailbox (upper(ods_code));

CREATE TABLE "message" (
  message_no integer primary key,
  message_id text not null unique,
  state text not null check
    (state in ('uploading', 'routing') or state in ('accepted', 'acknowledged') or state in ('undeliverable', 'error')),
  recipient text,
  position integer,
  sender text,
  payload_id text,
  workflow_id text not null,
  message_type text not null check (message_type in ('DATA', 'REPORT')),
  created_at_ms integer not null,
  accepted_at_ms integer,
  expires_at_ms integer,
  state_at_ms integer not null,
  acknowledged_at_ms integer,
  first_listed_at_ms integer,
  first_download_at_ms integer,
  last_download_at_ms integer,
  downloads integer not null default 0,
  hide_at_ms integer not null,
  hidden integer not null default 0 check (hidden in (0, 1)),
  filed integer not null default 0 check (filed in (0, 1)),
  remove_at_ms integer not null,
  status_code text not null,
  status_event text not null,
  status_description text not null,
  compressed integer not null check (compressed in (0, 1)),
  encrypted integer not null check (encrypted in (0, 1)),
  linked_message_id text,
  local_key text,
  sealed text not null,
  events text not null
, addressed_to text, made_as text check (made_as in ('copy', 'resend')), made_from text, origin_id text);

CREATE INDEX message_addressed on message (addressed_to, message_id) where addressed_to is not null;

CREATE INDEX message_inbox on message (recipient, message_id) where filed = 1;

CREATE INDEX message_linked on message (linked_message_id) where linked_message_id is not null;

CREATE INDEX message_local_key on message (sender, local_key) where filed = 1 and local_key is not null;

CREATE INDEX message_new_local_key on message (sender, local_key) where filed = 0 and local_key is not null;

CREATE INDEX message_origin on message (origin_id) where origin_id is not null;

CREATE INDEX message_outbox on message (sender, message_id) where filed = 1;

CREATE INDEX message_routing on message (created_at_ms, message_id) where state = 'routing';

CREATE INDEX message_to_hide on message (hide_at_ms) where hidden = 0;

CREATE INDEX message_to_remove on message (remove_at_ms) where hidden = 1;

CREATE INDEX message_unfinished on message (created_at_ms) where state in ('uploading', 'routing');

CREATE TABLE meta (
  key text primary key,
  value text not null
) without rowid;

CREATE TABLE nonce_log (
  entry_no integer primary key,
  expires_at_ms integer not null,
  prints blob not null
);

CREATE TABLE organisation (
  ods_code text primary key,
  name text not null,
  active integer not null check (active in (0, 1)),
  record_class text not null,
  primary_role text not null,
  roles text not null,
  legal_from text,
  legal_to text,
  operational_from text,
  operational_to text,
  address text not null,
  telephone text not null,
  last_change text
) without rowid;

CREATE TABLE organisation_link (
  from_code text not null,
  kind text not null check (kind in ('relationship', 'succession')),
  type text not null,
  to_code text not null,
  from_date text not null,
  to_date text,
  active integer not null check (active in (0, 1)),
  primary key (from_code, kind, type, to_code, from_date)
) without rowid;

CREATE TABLE payload (
  payload_id text primary key,
  total_chunks integer not null,
  stored_chunks integer not null,
  size_bytes integer not null,
  content_encoding text not null check (content_encoding in ('', 'gzip')),
  keep_until_ms integer not null,
  deleted_at_ms integer,
  key_id text,
  wrapped_key text
, sha256 text, block_digests text, body_ref text, stored_at_ms integer, inline_body blob);

CREATE INDEX payload_body_ref on payload (body_ref) where body_ref is not null;

CREATE INDEX payload_due on payload (keep_until_ms) where deleted_at_ms is null;

CREATE TABLE refusal (
  refusal_id text primary key,
  at_ms integer not null,
  reason text not null,
  detail text not null,
  mailbox_id text,
  operation text,
  status integer,
  address text,
  certificate_serial text,
  correlation_id text,
  count integer not null
) without rowid;

CREATE INDEX refusal_address on refusal (address, at_ms) where address is not null;

CREATE INDEX refusal_at on refusal (at_ms);

CREATE INDEX refusal_certificate on refusal (certificate_serial, at_ms) where certificate_serial is not null;

CREATE INDEX refusal_mailbox on refusal (mailbox_id, at_ms) where mailbox_id is not null;

CREATE TABLE registration (
  workflow_id text not null,
  role text not null check (role in ('initiator', 'responder')),
  mailbox_id text not null,
  valid_from_ms integer not null,
  valid_to_ms integer, approval_id text,
  primary key (workflow_id, role, mailbox_id)
) without rowid;

CREATE TABLE registry_change (
  version integer primary key,
  keys text not null
);

CREATE TABLE registry_version (
  one integer primary key check (one = 1),
  version integer not null
);

CREATE TABLE route_step (
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

CREATE TABLE routing_rule (
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

CREATE TABLE shared_key (
  shared_key_id text primary key,
  sealed text not null,
  valid_from_ms integer not null,
  valid_to_ms integer
) without rowid;

CREATE TABLE workflow (
  workflow_id text primary key,
  description text not null,
  status text not null check (status in ('draft', 'live', 'deprecated', 'withdrawn')),
  restricted integer not null check (restricted in (0, 1))
, title text not null default '', owner text not null default '', purpose text not null default 'request'
  check (purpose in ('request', 'acknowledgement', 'report', 'event')), ack_workflow_id text, gp_routing integer not null default 0 check (gp_routing in (0, 1)), size_bytes_max integer, chunking integer not null default 1 check (chunking in (0, 1)), civil_registration integer not null default 0 check (civil_registration in (0, 1)), payload_type text not null default '', source text not null default '') without rowid;

CREATE TABLE workflow_group (
  group_id text primary key,
  number integer,
  name text not null,
  description text not null,
  owner text not null,
  restricted integer not null check (restricted in (0, 1)),
  initiator_ids text not null,
  responder_ids text not null
) without rowid;
