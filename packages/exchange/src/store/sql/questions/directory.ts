import { asks, tells } from '../question.ts';

export interface OrganisationRow {
  odsCode: string;
  name: string;
  active: number;
  recordClass: string;
  primaryRole: string;
  roles: string;
  legalFrom: string | null;
  legalTo: string | null;
  operationalFrom: string | null;
  operationalTo: string | null;
  address: string;
  telephone: string;
  lastChange: string | null;
}

export const readOrganisation = asks<OrganisationRow>(
  'read-organisation',
  `select ods_code as "odsCode", name, active, record_class as "recordClass", primary_role as "primaryRole", roles,
     legal_from as "legalFrom", legal_to as "legalTo", operational_from as "operationalFrom",
     operational_to as "operationalTo", address, telephone, last_change as "lastChange"
   from organisation where ods_code = $1`,
);

export const putOrganisation = tells(
  'put-organisation',
  `insert into organisation (ods_code, name, active, record_class, primary_role, roles, legal_from, legal_to,
     operational_from, operational_to, address, telephone, last_change)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
   on conflict (ods_code) do update
     set name = excluded.name, active = excluded.active, record_class = excluded.record_class,
       primary_role = excluded.primary_role, roles = excluded.roles, legal_from = excluded.legal_from,
       legal_to = excluded.legal_to, operational_from = excluded.operational_from,
       operational_to = excluded.operational_to, address = excluded.address, telephone = excluded.telephone,
       last_change = excluded.last_change`,
);

export interface LinkRow {
  odsCode: string;
  kind: string;
  type: string;
  target: string;
  from: string;
  to: string | null;
  active: number;
}

export const listLinks = asks<LinkRow>(
  'list-links',
  `select from_code as "odsCode", kind, type, to_code as "target", from_date as "from", to_date as "to", active
   from organisation_link where from_code = $1 order by kind, type, to_code, from_date`,
);

export const readLink = asks<{ to: string | null; active: number }>(
  'read-link',
  `select to_date as "to", active from organisation_link
   where from_code = $1 and kind = $2 and type = $3 and to_code = $4 and from_date = $5`,
);

export const putLink = tells(
  'put-link',
  `insert into organisation_link (from_code, kind, type, to_code, from_date, to_date, active)
   values ($1, $2, $3, $4, $5, $6, $7)
   on conflict (from_code, kind, type, to_code, from_date) do update
     set to_date = excluded.to_date, active = excluded.active`,
);

export const findMailboxOf = asks<{ found: number }>(
  'find-mailbox-of',
  `select 1 as found from mailbox where upper(ods_code) = $1 and state <> 'closed' limit 1`,
);

export const insertAlert = tells(
  'insert-alert',
  'insert into directory_alert (at_ms, ods_code, kind, detail) values ($1, $2, $3, $4)',
);

export interface AlertRow {
  alertNo: number;
  atMs: number;
  odsCode: string;
  kind: string;
  detail: string;
}

export const listAlerts = asks<AlertRow>(
  'list-alerts',
  `select alert_no as "alertNo", at_ms as "atMs", ods_code as "odsCode", kind, detail
   from directory_alert where at_ms >= $1 order by alert_no desc limit $2 + 0`,
);

export const listAlertsOf = asks<AlertRow>(
  'list-alerts-of',
  `select alert_no as "alertNo", at_ms as "atMs", ods_code as "odsCode", kind, detail
   from directory_alert where at_ms >= $1 and ods_code = $3 order by alert_no desc limit $2 + 0`,
);

export const listNewAlerts = asks<AlertRow>(
  'list-new-alerts',
  `select alert_no as "alertNo", at_ms as "atMs", ods_code as "odsCode", kind, detail
   from directory_alert where announced_at_ms is null order by alert_no limit $1 + 0`,
);

export const markAnnounced = tells(
  'mark-announced',
  'update directory_alert set announced_at_ms = $2 where alert_no = $1',
);

export const countOrganisations = asks<{ count: number }>(
  'count-organisations',
  'select count(*) as count from organisation',
);
