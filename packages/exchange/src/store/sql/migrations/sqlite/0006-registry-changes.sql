-- Which rows a version of the registry changed, as JSON by table: a running node reads those again, and not all there are.
-- Without a row for versions that changed very many, and for all but the last.
create table registry_change (
  version integer primary key,
  keys text not null
);

-- What an operator is to be told, once for each thing that is so, and again while it stays so.
create table alert (
  code text not null,
  subject text not null,
  sentence text not null,
  seen_at_ms integer not null,
  told_at_ms integer,
  primary key (code, subject)
) without rowid;
create index alert_untold on alert (seen_at_ms) where told_at_ms is null;
