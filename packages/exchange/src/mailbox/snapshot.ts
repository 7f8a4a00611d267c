import type { MailboxId } from '@openmesh/protocol';
import type {
  CredentialRecord,
  MailboxRecord,
  RegistryRecords,
  SharedKeyRecord,
  WorkflowRecord,
} from '../store/ledger/registry.ts';
import type { RuleRecord, WorkflowGroupRecord } from '../store/ledger/routing-records.ts';
import { compareText, indexRegistered, isValidAt, pushTo, type Registered } from './registered.ts';
import { indexRules, type RuleIndex } from './routing/rule-index.ts';
import { credentialContext, sharedKeyContext } from './sealer.ts';

/** Opens a sealed text; `Sealer.open` is one. May throw. */
export type Unseal = (sealed: string, context: string) => string;

/** Everything routing and the porch decide on, at one version. Never changes: a change makes another snapshot. */
export interface RegistrySnapshot extends Registered {
  readonly version: number;
  mailbox(id: MailboxId): MailboxRecord | undefined;
  /** In order of id. */
  mailboxes(): readonly MailboxRecord[];
  /**
   * The mailbox's passwords valid at `nowMs` (machine clock), the newest first; empty when it has none. Each is
   * unsealed on its first use and kept. Throws `SealFault` when one cannot be opened.
   */
  passwords(id: MailboxId, nowMs: number): readonly string[];
  /**
   * The keys of the token hash that are kept in the ledger, each with its validity (machine clock), the newest first;
   * unsealed on first use and kept, the same list each time. Throws `SealFault` when one cannot be opened.
   */
  sharedKeys(): readonly SharedKey[];
  workflow(id: string): WorkflowRecord | undefined;
  /** In order of id. */
  workflows(): readonly WorkflowRecord[];
  /** In order of id. */
  groups(): readonly WorkflowGroupRecord[];
  /** The workflows that are acknowledged under this one. */
  acknowledges(workflowId: string): readonly string[];
  readonly rules: RuleIndex;
  /** The same registry with other rules: what would be, if. */
  withRules(rules: readonly RuleRecord[]): RegistrySnapshot;
  /** By SHA-256 of the certificate's DER form, lower-case hex. */
  isRevoked(fingerprint: string): boolean;
}

/** A key of the token hash, opened. */
export interface SharedKey {
  readonly key: string;
  readonly validFromMs: number;
  readonly validToMs: number | null;
}

interface Credential {
  readonly record: CredentialRecord;
  password: string | undefined;
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

function indexAcknowledged(workflows: readonly WorkflowRecord[]): ReadonlyMap<string, readonly string[]> {
  const lists = new Map<string, string[]>();
  for (const { workflowId, ackWorkflowId } of workflows) {
    if (ackWorkflowId !== null && ackWorkflowId !== workflowId) pushTo(lists, ackWorkflowId, workflowId);
  }
  return lists;
}

function openSharedKeys(records: readonly SharedKeyRecord[], unseal: Unseal): readonly SharedKey[] {
  const newestFirst = [...records].sort((a, b) => b.validFromMs - a.validFromMs);
  return newestFirst.map(({ sharedKeyId, sealed, validFromMs, validToMs }) => ({
    key: unseal(sealed, sharedKeyContext(sharedKeyId)),
    validFromMs,
    validToMs,
  }));
}

const noCredentials: readonly Credential[] = [];
const nothing: readonly string[] = [];

/**
 * Indexes the records of one version. Takes the rows over (they must not change afterwards) and keeps one map entry for
 * each mailbox and one list entry for each credential and registration. `unseal` is called with the context
 * `credential:ID`.
 */
export function buildSnapshot(records: RegistryRecords, unseal: Unseal): RegistrySnapshot {
  const ordered = [...records.mailboxes].sort((a, b) => compareText(a.mailboxId, b.mailboxId));
  const mailboxes = new Map(ordered.map((record) => [record.mailboxId, record]));
  const workflows = [...records.workflows].sort((a, b) => compareText(a.workflowId, b.workflowId));
  const workflowById = new Map(workflows.map((record) => [record.workflowId, record]));
  const groups = [...records.groups].sort((a, b) => compareText(a.groupId, b.groupId));
  const acknowledged = indexAcknowledged(workflows);
  const credentials = indexCredentials(records.credentials);
  let sharedKeys: readonly SharedKey[] | undefined;
  const revoked = new Set<string>();
  for (const record of records.certificates) if (record.revokedAtMs !== null) revoked.add(record.fingerprint);

  const withRules = (rules: readonly RuleRecord[]): RegistrySnapshot => ({ ...snapshot, rules: indexRules(rules) });
  const snapshot: RegistrySnapshot = {
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
    sharedKeys() {
      sharedKeys ??= openSharedKeys(records.sharedKeys, unseal);
      return sharedKeys;
    },
    ...indexRegistered(records, mailboxes, workflowById),
    workflow: (id) => workflowById.get(id),
    workflows: () => workflows,
    groups: () => groups,
    acknowledges: (workflowId) => acknowledged.get(workflowId) ?? nothing,
    rules: indexRules(records.rules),
    withRules,
    isRevoked: (fingerprint) => revoked.has(fingerprint),
  };
  return snapshot;
}
