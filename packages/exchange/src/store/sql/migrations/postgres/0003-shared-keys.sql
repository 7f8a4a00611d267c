-- Keys of the token hash, the same for all callers, sealed as passwords are. Two are valid at once while one takes the
-- place of the other.
create table shared_key (
  shared_key_id text collate "C" primary key,
  sealed text collate "C" not null,
  valid_from_ms bigint not null,
  valid_to_ms bigint
);
