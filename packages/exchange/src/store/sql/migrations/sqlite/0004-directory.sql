-- Organisations as the national directory publishes them. Dates are days, YYYY-MM-DD; '' stands for none in a key.

create table organisation (
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

-- Who belongs to whom and who came after whom; a predecessor is written as the successor it has.
create table organisation_link (
  from_code text not null,
  kind text not null check (kind in ('relationship', 'succession')),
  type text not null,
  to_code text not null,
  from_date text not null,
  to_date text,
  active integer not null check (active in (0, 1)),
  primary key (from_code, kind, type, to_code, from_date)
) without rowid;

-- What the owners of mailboxes have to know about their organisation; written in the commit that changes it.
create table directory_alert (
  alert_no integer primary key,
  at_ms integer not null,
  ods_code text not null,
  kind text not null check (kind in ('closed', 'closing', 'renamed', 'succeeded')),
  detail text not null,
  announced_at_ms integer
);
create index directory_alert_code on directory_alert (ods_code, alert_no);
create index directory_alert_new on directory_alert (alert_no) where announced_at_ms is null;

create index mailbox_organisation on mailbox (upper(ods_code));

-- Messages whose address is not yet resolved, in the order in which they came.
create index message_routing on message (created_at_ms, message_id) where state = 'routing';
