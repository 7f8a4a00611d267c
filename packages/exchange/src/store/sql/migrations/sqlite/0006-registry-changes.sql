-- Which rows a version of the registry changed, as JSON by table: a running node reads those again, and not all there are.
-- Without a row for versions that changed very many, and for all but the last.
create table registry_change (
  version integer primary key,
  keys text not null
);

-- What an operator is told again as long as it stands.
create table standing_alert (
  code text not null,
  subject text not null,
  since_ms integer not null,
  told_at_ms integer,
  primary key (code, subject)
) without rowid;
