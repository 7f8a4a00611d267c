import type {
  DirectoryAlert,
  DirectoryBatch,
  DirectoryState,
  FoundOrganisation,
  OdsCode,
  OrganisationLink,
  OrganisationRecord,
} from '../../ledger/directory.ts';
import { all, one, run, type Talk } from '../question.ts';
import { raiseAlert } from '../questions/alerts.ts';
import * as q from '../questions/directory.ts';
import { readMeta, writeMeta } from '../questions/jobs.ts';

type Columns = readonly (string | number | null)[];

/** A row as it is written; two records that say the same make the same. */
function columnsOf(o: OrganisationRecord): Columns {
  const { odsCode, name, recordClass, primaryRole, legal, operational, telephone, lastChange } = o;
  const spans = [legal.from, legal.to, operational.from, operational.to];
  const [roles, address] = [JSON.stringify(o.roles), JSON.stringify(o.address)];
  return [odsCode, name, o.active ? 1 : 0, recordClass, primaryRole, roles, ...spans, address, telephone, lastChange];
}

function toOrganisation(row: q.OrganisationRow): OrganisationRecord {
  const { odsCode, name, active, recordClass, primaryRole, telephone, lastChange } = row;
  return {
    odsCode: odsCode as OdsCode,
    name,
    active: active === 1,
    recordClass,
    primaryRole,
    roles: JSON.parse(row.roles) as OrganisationRecord['roles'],
    legal: { from: row.legalFrom, to: row.legalTo },
    operational: { from: row.operationalFrom, to: row.operationalTo },
    address: JSON.parse(row.address) as OrganisationRecord['address'],
    telephone,
    lastChange,
  };
}

export function* putDirectory(batch: DirectoryBatch): Talk<{ readonly rowsChanged: number; readonly alerts: number }> {
  let rowsChanged = 0;
  let alerts = 0;
  for (const organisation of batch.organisations) {
    const before = yield* one(q.readOrganisation, organisation.odsCode);
    const columns = columnsOf(organisation);
    if (before !== undefined && isSame(columns, columnsOf(toOrganisation(before)))) continue;
    rowsChanged += yield* run(q.putOrganisation, ...columns);
    const known = before === undefined ? undefined : toOrganisation(before);
    for (const [kind, detail] of newsOf(known, organisation)) {
      alerts += yield* alert(batch.atMs, organisation.odsCode, kind, detail);
    }
  }
  for (const link of batch.links) {
    const key = [link.odsCode, link.kind, link.type, link.target, link.from ?? ''] as const;
    const before = yield* one(q.readLink, ...key);
    const active = link.active ? 1 : 0;
    if (before !== undefined && before.to === link.to && before.active === active) continue;
    rowsChanged += yield* run(q.putLink, ...key, link.to, active);
    if (link.kind === 'succession' && before === undefined) {
      const since = link.from === null ? '' : ` from ${link.from}`;
      alerts += yield* alert(batch.atMs, link.odsCode, 'succeeded', `succeeded by ${link.target}${since}`);
    }
  }
  return { rowsChanged, alerts };
}

function isSame(columns: Columns, other: Columns): boolean {
  return columns.every((value, at) => value === other[at]);
}

/** What a change means to whoever has a mailbox in the organisation. One that was not known before was open. */
function* newsOf(
  before: OrganisationRecord | undefined,
  now: OrganisationRecord,
): Generator<readonly [DirectoryAlert['kind'], string]> {
  const end = now.operational.to ?? now.legal.to;
  if (!now.active) {
    if (before?.active !== false) yield ['closed', end === null ? 'closed' : `closed on ${end}`];
  } else if (end !== null && end !== (before?.operational.to ?? before?.legal.to ?? null)) {
    yield ['closing', `closes on ${end}`];
  }
  if (before !== undefined && before.name !== now.name) yield ['renamed', `was ${before.name}, is now ${now.name}`];
}

function* alert(atMs: number, odsCode: string, kind: DirectoryAlert['kind'], detail: string): Talk<number> {
  if ((yield* one(q.findMailboxOf, odsCode)) === undefined) return 0;
  return yield* run(q.insertAlert, atMs, odsCode, kind, detail);
}

export function* findOrganisation(odsCode: OdsCode): Talk<FoundOrganisation | null> {
  const row = yield* one(q.readOrganisation, odsCode);
  if (row === undefined) return null;
  const links = (yield* all(q.listLinks, odsCode)).map(
    (link) => ({ ...link, active: link.active === 1, from: link.from === '' ? null : link.from }) as OrganisationLink,
  );
  return { organisation: toOrganisation(row), links };
}

export function* directoryAlerts(query: {
  odsCode: OdsCode | null;
  sinceMs: number;
  limit: number;
}): Talk<readonly DirectoryAlert[]> {
  const { odsCode, sinceMs, limit } = query;
  const rows =
    odsCode === null ? yield* all(q.listAlerts, sinceMs, limit) : yield* all(q.listAlertsOf, sinceMs, limit, odsCode);
  return rows as readonly DirectoryAlert[];
}

export function* announceAlerts(query: { nowMs: number; limit: number }): Talk<readonly DirectoryAlert[]> {
  const rows = yield* all(q.listNewAlerts, query.limit);
  for (const { alertNo, odsCode, kind, detail } of rows) {
    yield* run(q.markAnnounced, alertNo, query.nowMs);
    // In the same commit, so that whoever is to be told is told, whatever happens to who announced it.
    yield* run(raiseAlert, `organisation-${kind}`, odsCode, detail, query.nowMs, 0);
  }
  return rows as readonly DirectoryAlert[];
}

const refreshedKey = 'directory-refreshed-ms';
const changesToKey = 'directory-changes-to';

export function* directoryState(): Talk<DirectoryState> {
  const counted = yield* one(q.countOrganisations);
  const refreshed = yield* one(readMeta, refreshedKey);
  const changesTo = yield* one(readMeta, changesToKey);
  return {
    organisations: counted?.count ?? 0,
    refreshedAtMs: refreshed === undefined ? null : Number(refreshed.value),
    changesTo: changesTo?.value ?? null,
  };
}

export function* directoryRefreshed(command: { atMs: number; changesTo: string }): Talk<void> {
  yield* run(writeMeta, refreshedKey, String(command.atMs));
  yield* run(writeMeta, changesToKey, command.changesTo);
}
