import type { MailboxId } from '@openmesh/protocol';
import type {
  CredentialRecord,
  MailboxRecord,
  RegistrationRecord,
  RegistrationRole,
  RegistryRecords,
  WorkflowRecord,
} from '../store/ledger/registry.ts';
import { credentialContext } from './sealer.ts';

/** Opens a sealed text; `Sealer.open` is one. May throw. */
export type Unseal = (sealed: string, context: string) => string;

/** Everything routing and the porch decide on, at one version. Never changes: a change makes another snapshot. */
export interface RegistrySnapshot {
  readonly version: number;
  mailbox(id: MailboxId): MailboxRecord | undefined;
  /** In order of id. */
  mailboxes(): readonly MailboxRecord[];
  /**
   * The mailbox's passwords valid at `nowMs` (machine clock), the newest first; empty when it has none. Each is
   * unsealed on its first use and kept. Throws `SealFault` when one cannot be opened.
   */
  passwords(id: MailboxId, nowMs: number): readonly string[];
  /** Active mailboxes that may receive the workflow at `nowMs`, in order of id; of one organisation when it is given. */
  responders(odsCode: string | undefined, workflowId: string, nowMs: number): readonly MailboxRecord[];
  /** Whether the mailbox is registered for the workflow in that role at `nowMs`. */
  isRegistered(mailbox: MailboxRecord, workflowId: string, role: RegistrationRole, nowMs: number): boolean;
  workflow(id: string): WorkflowRecord | undefined;
  /** By SHA-256 of the certificate's DER form, lower-case hex. */
  isRevoked(fingerprint: string): boolean;
}

interface Credential {
  readonly record: CredentialRecord;
  password: string | undefined;
}

interface Registered {
  readonly mailbox: MailboxRecord;
  readonly odsCode: string;
  readonly record: RegistrationRecord;
}

/** Registrations by workflow, each list in order of organisation and mailbox: a look-up is a binary search. */
type RegisteredIndex = ReadonlyMap<string, readonly Registered[]>;

function isValidAt(
  record: { readonly validFromMs: number; readonly validToMs: number | null },
  nowMs: number,
): boolean {
  return record.validFromMs <= nowMs && (record.validToMs === null || nowMs < record.validToMs);
}

function pushTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** By UTF-16 code unit: the same on every machine, and ten times faster than a locale's order. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function compareRegistered(a: Registered, b: Registered): number {
  return compareText(a.odsCode, b.odsCode) || compareText(a.mailbox.mailboxId, b.mailbox.mailboxId);
}

function indexRegistrations(
  records: readonly RegistrationRecord[],
  mailboxes: ReadonlyMap<MailboxId, MailboxRecord>,
): Readonly<Record<RegistrationRole, RegisteredIndex>> {
  const index = { initiator: new Map<string, Registered[]>(), responder: new Map<string, Registered[]>() };
  for (const record of records) {
    const mailbox = mailboxes.get(record.mailboxId);
    // A registration whose mailbox is unknown can never matter; the ledger keeps it until it is dropped.
    if (mailbox === undefined) continue;
    pushTo(index[record.role], record.workflowId, { mailbox, odsCode: mailbox.odsCode.toUpperCase(), record });
  }
  for (const lists of Object.values(index)) for (const list of lists.values()) list.sort(compareRegistered);
  return index;
}

/** Position of the first entry that is not below organisation and mailbox ('' is below every id). */
function lowerBound(list: readonly Registered[], odsCode: string, mailboxId: string): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = list[middle];
    if (entry === undefined) break;
    const order = compareText(entry.odsCode, odsCode) || compareText(entry.mailbox.mailboxId, mailboxId);
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function findResponders(list: readonly Registered[], odsCode: string | undefined, nowMs: number): MailboxRecord[] {
  const found: MailboxRecord[] = [];
  const wanted = odsCode?.toUpperCase();
  const start = wanted === undefined ? 0 : lowerBound(list, wanted, '');
  for (let index = start; index < list.length; index += 1) {
    const entry = list[index];
    if (entry === undefined || (wanted !== undefined && entry.odsCode !== wanted)) break;
    if (entry.mailbox.state === 'active' && isValidAt(entry.record, nowMs)) found.push(entry.mailbox);
  }
  if (wanted === undefined) found.sort((a, b) => compareText(a.mailboxId, b.mailboxId));
  return found;
}

function indexCredentials(records: readonly CredentialRecord[]): ReadonlyMap<MailboxId, readonly Credential[]> {
  const lists = new Map<MailboxId, Credential[]>();
  for (const record of records) pushTo(lists, record.mailboxId, { record, password: undefined });
  for (const list of lists.values()) {
    if (list.length > 1) list.sort((a, b) => b.record.validFromMs - a.record.validFromMs);
  }
  return lists;
}

function openPassword(credential: Credential, unseal: Unseal): string {
  credential.password ??= unseal(credential.record.sealed, credentialContext(credential.record.credentialId));
  return credential.password;
}

const noCredentials: readonly Credential[] = [];
const noneRegistered: readonly Registered[] = [];

/**
 * Indexes the records of one version. Takes the rows over (they must not change afterwards) and keeps one map entry for
 * each mailbox and one list entry for each credential and registration. `unseal` is called with the context
 * `credential:ID`.
 */
export function buildSnapshot(records: RegistryRecords, unseal: Unseal): RegistrySnapshot {
  const ordered = [...records.mailboxes].sort((a, b) => compareText(a.mailboxId, b.mailboxId));
  const mailboxes = new Map(ordered.map((record) => [record.mailboxId, record]));
  const workflows = new Map(records.workflows.map((record) => [record.workflowId, record]));
  const credentials = indexCredentials(records.credentials);
  const registered = indexRegistrations(records.registrations, mailboxes);
  const revoked = new Set<string>();
  for (const record of records.certificates) if (record.revokedAtMs !== null) revoked.add(record.fingerprint);

  return {
    version: records.version,
    mailbox: (id) => mailboxes.get(id),
    mailboxes: () => ordered,
    passwords(id, nowMs) {
      const valid: string[] = [];
      for (const credential of credentials.get(id) ?? noCredentials) {
        if (isValidAt(credential.record, nowMs)) valid.push(openPassword(credential, unseal));
      }
      return valid;
    },
    responders: (odsCode, workflowId, nowMs) =>
      findResponders(registered.responder.get(workflowId) ?? noneRegistered, odsCode, nowMs),
    isRegistered(mailbox, workflowId, role, nowMs) {
      const list = registered[role].get(workflowId) ?? noneRegistered;
      const entry = list[lowerBound(list, mailbox.odsCode.toUpperCase(), mailbox.mailboxId)];
      return entry?.mailbox.mailboxId === mailbox.mailboxId && isValidAt(entry.record, nowMs);
    },
    workflow: (id) => workflows.get(id),
    isRevoked: (fingerprint) => revoked.has(fingerprint),
  };
}
