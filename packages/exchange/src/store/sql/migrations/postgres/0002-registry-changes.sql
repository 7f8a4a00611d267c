-- Which rows a version of the registry changed, as JSON by table: a running node reads those again, and not all there are.
-- Without a row for versions that changed very many, and for all but the last.
create table registry_change (
  version bigint primary key,
  keys text collate "C" not null
);

-- What an operator is to be told, once for each thing that is so, and again while it stays so.
create table alert (
  code text collate "C" not null,
  subject text collate "C" not null,
  sentence text collate "C" not null,
  seen_at_ms bigint not null,
  told_at_ms bigint,
  primary key (code, subject)
);

create index alert_untold on alert (seen_at_ms) where told_at_ms is null;
