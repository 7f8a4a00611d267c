import type {
  MembershipKey,
  RegistrationKey,
  RegistryCursor,
  RegistryDelta,
  RegistryPage,
  RegistryRows,
  RegistryTable,
} from '../../ledger/registry.ts';
import { all, one, run, type Talk } from '../question.ts';
import { readRegistryVersion } from '../questions/messages.ts';
import * as q from '../questions/registry.ts';
import { type Key, registryTables, tableNames } from './registry-tables.ts';

/** Rows of a change whose keys are noted; a larger one is read again page by page. */
const keysNotedMax = 1000;
/** Keys read one by one to bring a node up to date. */
const keysReadMax = 2000;
/** Versions that a node may be behind, besides. */
const versionsKept = 1000;
/** Small enough to be handed between threads without being felt. */
const pageRows = 1000;

type KeysByTable = Partial<Record<RegistryTable, readonly Key[]>>;

function keysOf(change: RegistryRows): KeysByTable {
  const { registrations, memberships } = registryTables;
  // A key is all that is read of a row that is to be dropped.
  const dropped = {
    registrations: (change.dropRegistrations ?? []).map((key) => registrations.keyOf(key as never)),
    memberships: (change.dropMemberships ?? []).map((key) => memberships.keyOf(key as never)),
  };
  const keys: KeysByTable = {};
  for (const table of tableNames) {
    const rows = change[table] ?? [];
    const own = rows.map((row) => registryTables[table].keyOf(row as never));
    const more = table === 'registrations' || table === 'memberships' ? dropped[table] : [];
    if (own.length + more.length > 0) keys[table] = [...own, ...more];
  }
  return keys;
}

function countOf(keys: KeysByTable): number {
  return Object.values(keys).reduce((sum, list) => sum + list.length, 0);
}

/** Notes which rows a version changed. Where it is too many, or none of a table, the gap says that all is to be read. */
export function* noteChange(version: number, change: RegistryRows): Talk<void> {
  const keys = keysOf(change);
  if (countOf(keys) <= keysNotedMax) yield* run(q.noteChange, version, JSON.stringify(keys));
  yield* run(q.forgetChanges, version - versionsKept);
}

export function* changesSince(version: number): Talk<RegistryDelta | null> {
  const current = (yield* one(readRegistryVersion))?.version ?? 0;
  if (current <= version) return { version: current };
  const changes = yield* all(q.listChanges, version);
  if (changes.length !== current - version) return null;
  const keys = new Map<RegistryTable, Map<string, Key>>();
  let count = 0;
  for (const change of changes) {
    for (const [table, list] of Object.entries(JSON.parse(change.keys) as KeysByTable)) {
      const known = keys.get(table as RegistryTable) ?? new Map<string, Key>();
      keys.set(table as RegistryTable, known);
      for (const key of list) known.set(JSON.stringify(key), key);
      count += list.length;
    }
  }
  if (count > keysReadMax) return null;
  let rows: RegistryRows = {};
  for (const [table, wanted] of keys) rows = { ...rows, ...(yield* readKeys(table, [...wanted.values()])) };
  return { version: current, ...rows };
}

function* readKeys(table: RegistryTable, keys: readonly Key[]): Talk<RegistryRows> {
  const rows: object[] = [];
  const gone: Key[] = [];
  for (const key of keys) {
    const row: object | undefined = yield* registryTables[table].one(key);
    if (row === undefined) gone.push(key);
    else rows.push(row);
  }
  return { [table]: rows, ...goneOf(table, gone) };
}

function goneOf(table: RegistryTable, keys: readonly Key[]): RegistryRows {
  if (keys.length === 0) return {};
  switch (table) {
    case 'registrations':
      return {
        dropRegistrations: keys.map(
          ([workflowId, role, mailboxId]) => ({ workflowId, role, mailboxId }) as RegistrationKey,
        ),
      };
    case 'memberships':
      return {
        dropMemberships: keys.map(([groupId, part, mailboxId]) => ({ groupId, part, mailboxId }) as MembershipKey),
      };
    default:
      throw new Error(`a row of ${table} is gone, and rows of it are never dropped`);
  }
}

export function* registryPage({ table, after }: RegistryCursor): Talk<RegistryPage> {
  const reader = registryTables[table];
  const rows = yield* reader.after(after, pageRows) as Talk<readonly object[]>;
  const last = rows.at(-1);
  const nextTable = tableNames[tableNames.indexOf(table) + 1];
  const following = nextTable === undefined ? null : { table: nextTable, after: null };
  const isWhole = last === undefined || rows.length < pageRows;
  return { rows: { [table]: rows }, next: isWhole ? following : { table, after: reader.keyOf(last as never) } };
}
