-- One table, and not eight parts by a hash of the mailbox: a batch of claims is of many mailboxes, and opening every part
-- for it took longer than the claims. Rows go when their tokens have expired, so that the table stays as large as what
-- comes in a few hours.

lock table nonce in access exclusive mode;

create table whole_nonce (
  mailbox_id text collate "C" not null,
  nonce text collate "C" not null,
  seen_at_ms bigint not null,
  expires_at_ms bigint not null,
  constraint whole_nonce_pkey primary key (mailbox_id, nonce)
);

insert into whole_nonce (mailbox_id, nonce, seen_at_ms, expires_at_ms)
  select mailbox_id, nonce, seen_at_ms, expires_at_ms from nonce;

drop table nonce;
alter table whole_nonce rename to nonce;
alter index whole_nonce_pkey rename to nonce_pkey;
create index nonce_due on nonce using brin (expires_at_ms) with (pages_per_range = 16);
