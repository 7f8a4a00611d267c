-- What an ordinary message costs: one row for it, one for its payload with the body, and one while it waits. Every copy
-- is a message of its own, so a message has one recipient, and the recipient's leg is part of its row.

-- The body of a payload of one chunk lies in the payload's own row: inline or a reference to the body store, never both.
alter table payload add column sha256 text;
alter table payload add column block_digests text;
alter table payload add column body_ref text;
alter table payload add column stored_at_ms integer;
alter table payload add column inline_body blob;
update payload
  set sha256 = c.sha256, block_digests = c.block_digests, body_ref = c.body_ref, stored_at_ms = c.stored_at_ms,
    inline_body = c.inline_body
  from chunk as c
  where c.payload_id = payload.payload_id and c.chunk_number = 1 and payload.total_chunks = 1;
delete from chunk where payload_id in (select payload_id from payload where total_chunks = 1);
create index payload_body_ref on payload (body_ref) where body_ref is not null;

-- What waits, and nothing else: acknowledging or withdrawing deletes the entry. A position is never given twice.
create table inbox_entry (
  mailbox_id text not null,
  position integer not null,
  message_id text not null,
  workflow_id text not null,
  expires_at_ms integer not null,
  primary key (mailbox_id, position)
) without rowid;
insert into inbox_entry (mailbox_id, position, message_id, workflow_id, expires_at_ms)
  select mailbox_id, position, message_id, workflow_id, expires_at_ms from delivery where state = 'waiting';
create index inbox_entry_due on inbox_entry (expires_at_ms);

-- Rows follow one another in the order of commit, so that a new one dirties the page of the one before. The position and
-- dates of the recipient's leg stay when the message has left the inbox. Events are lines of JSON, [at, actor, kind,
-- detail]; once the text has grown long, further ones go to the table of events. The states are listed in pairs: of a
-- longer list SQLite makes a table anew for each row that it checks.
create table new_message (
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
);
insert into new_message
  (message_id, state, recipient, position, sender, payload_id, workflow_id, message_type, created_at_ms, accepted_at_ms,
   expires_at_ms, state_at_ms, acknowledged_at_ms, first_listed_at_ms, first_download_at_ms, last_download_at_ms,
   downloads, hide_at_ms, hidden, filed, remove_at_ms, status_code, status_event, status_description, compressed, encrypted,
   linked_message_id, local_key, sealed, events)
  select m.message_id, m.state, m.recipient, d.position, m.sender, m.payload_id, m.workflow_id, m.message_type,
    m.created_at_ms, m.accepted_at_ms, d.expires_at_ms, m.state_at_ms, d.acknowledged_at_ms, d.first_listed_at_ms,
    d.first_download_at_ms, d.last_download_at_ms, coalesce(d.downloads, 0), m.hide_at_ms, m.hidden, 1, m.remove_at_ms,
    m.status_code, m.status_event, m.status_description, m.compressed, m.encrypted, m.linked_message_id, m.local_key,
    m.sealed,
    coalesce((select group_concat(json_array(e.at_ms, e.actor, e.kind, e.detail) || char(10), '' order by e.event_no)
      from event as e where e.message_id = m.message_id), '')
  from message as m left join delivery as d on d.mailbox_id = m.recipient and d.message_id = m.message_id
  order by m.message_id;
delete from event;
drop table delivery;
drop table message;
alter table new_message rename to message;

-- An index led by a mailbox has a page of its own for each message that is indexed at once. So messages are filed some
-- hundreds together: up to `filing.message_no` they are found by mailbox through an index, beyond it by looking at each.
create table filing (
  one integer primary key check (one = 1),
  message_no integer not null
);
insert into filing (one, message_no) select 1, coalesce(max(message_no), 0) from message;
create index message_inbox on message (recipient, message_id) where filed = 1;
create index message_outbox on message (sender, message_id) where filed = 1;
create index message_local_key on message (sender, local_key) where filed = 1 and local_key is not null;
create index message_new_local_key on message (sender, local_key) where filed = 0 and local_key is not null;
create index message_unfinished on message (created_at_ms) where state in ('uploading', 'routing');
create index message_to_hide on message (hide_at_ms) where hidden = 0;
create index message_to_remove on message (remove_at_ms) where hidden = 1;
