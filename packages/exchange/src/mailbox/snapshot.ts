import type { MailboxId } from '@openmesh/protocol';
import type {
  CertificateRecord,
  CredentialRecord,
  MailboxRecord,
  RegistryRecords,
  RegistryRows,
  SharedKeyRecord,
  WorkflowRecord,
} from '../store/ledger/registry.ts';
import type { RuleRecord, WorkflowGroupRecord } from '../store/ledger/routing-records.ts';
import { DraftMap, DraftNest } from './draft-map.ts';
import {
  compareText,
  isValidAt,
  noneRegistered,
  pushTo,
  type Registered,
  RegisteredDraft,
  type RegisteredTables,
  viewRegistered,
} from './registered.ts';
import { indexRules, noRules, RuleDraft, type RuleIndex, type RuleTables, viewRules } from './routing/rule-index.ts';
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
   * The keys of the token hash that are kept in the ledger, each with its validity (machine clock); unsealed on first use and
   * kept, the same list each time. Throws `SealFault` when one cannot be opened.
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

/** A row, and its password once it was opened: it stays open from version to version. */
interface Credential {
  readonly record: CredentialRecord;
  password: string | undefined;
}

function openPassword(credential: Credential, unseal: Unseal): string {
  credential.password ??= unseal(credential.record.sealed, credentialContext(credential.record.credentialId));
  return credential.password;
}

/** The registry at one version, indexed. What two versions have in common they share; none of it ever changes. */
export interface RegistryTables {
  readonly version: number;
  readonly mailboxes: ReadonlyMap<MailboxId, MailboxRecord>;
  /** By organisation code in capitals. */
  readonly mailboxesOf: ReadonlyMap<string, ReadonlyMap<MailboxId, MailboxRecord>>;
  readonly credentials: ReadonlyMap<string, Credential>;
  /** Of each mailbox, by id of the credential. */
  readonly credentialsOf: ReadonlyMap<MailboxId, ReadonlyMap<string, Credential>>;
  readonly sharedKeys: ReadonlyMap<string, SharedKeyRecord>;
  readonly workflows: ReadonlyMap<string, WorkflowRecord>;
  readonly registered: RegisteredTables;
  readonly rules: RuleTables;
  /** Certificates by fingerprint, of which only the revoked ones matter. */
  readonly revoked: ReadonlyMap<string, CertificateRecord>;
}

export const emptyTables: RegistryTables = {
  version: -1,
  mailboxes: new Map(),
  mailboxesOf: new Map(),
  credentials: new Map(),
  credentialsOf: new Map(),
  sharedKeys: new Map(),
  workflows: new Map(),
  registered: noneRegistered,
  rules: noRules,
  revoked: new Map(),
};

/** Another version of the registry, made from one: what is not touched is shared, what is touched is copied once. */
export class RegistryDraft {
  readonly #mailboxes: DraftMap<MailboxId, MailboxRecord>;
  readonly #mailboxesOf: DraftNest<string, MailboxId, MailboxRecord>;
  readonly #credentials: DraftMap<string, Credential>;
  readonly #credentialsOf: DraftNest<MailboxId, string, Credential>;
  readonly #sharedKeys: DraftMap<string, SharedKeyRecord>;
  readonly #workflows: DraftMap<string, WorkflowRecord>;
  readonly #registered: RegisteredDraft;
  readonly #rules: RuleDraft;
  readonly #revoked: DraftMap<string, CertificateRecord>;

  constructor(from: RegistryTables) {
    this.#mailboxes = new DraftMap(from.mailboxes);
    this.#mailboxesOf = new DraftNest(from.mailboxesOf);
    this.#credentials = new DraftMap(from.credentials);
    this.#credentialsOf = new DraftNest(from.credentialsOf);
    this.#sharedKeys = new DraftMap(from.sharedKeys);
    this.#workflows = new DraftMap(from.workflows);
    this.#registered = new RegisteredDraft(from.registered);
    this.#rules = new RuleDraft(from.rules);
    this.#revoked = new DraftMap(from.revoked);
  }

  /** Takes rows over, in any order of tables; they must not change afterwards. Costs as much as there are rows. */
  put(rows: RegistryRows): this {
    for (const mailbox of rows.mailboxes ?? []) this.#putMailbox(mailbox);
    for (const record of rows.credentials ?? []) this.#putCredential(record);
    for (const key of rows.sharedKeys ?? []) this.#sharedKeys.set(key.sharedKeyId, key);
    for (const workflow of rows.workflows ?? []) this.#workflows.set(workflow.workflowId, workflow);
    this.#registered.put(rows);
    for (const rule of rows.rules ?? []) this.#rules.put(rule);
    for (const certificate of rows.certificates ?? []) {
      const { fingerprint } = certificate;
      if (certificate.revokedAtMs === null) this.#revoked.delete(fingerprint);
      else this.#revoked.set(fingerprint, certificate);
    }
    return this;
  }

  #putMailbox(mailbox: MailboxRecord): void {
    const { mailboxId, odsCode } = mailbox;
    const before = this.#mailboxes.get(mailboxId);
    if (before !== undefined) this.#mailboxesOf.delete(before.odsCode.toUpperCase(), mailboxId);
    this.#mailboxes.set(mailboxId, mailbox);
    this.#mailboxesOf.set(odsCode.toUpperCase(), mailboxId, mailbox);
  }

  #putCredential(record: CredentialRecord): void {
    const { credentialId, mailboxId } = record;
    const before = this.#credentials.get(credentialId);
    if (before !== undefined) this.#credentialsOf.delete(before.record.mailboxId, credentialId);
    const credential = { record, password: undefined };
    this.#credentials.set(credentialId, credential);
    this.#credentialsOf.set(mailboxId, credentialId, credential);
  }

  done(version: number): RegistryTables {
    return {
      version,
      mailboxes: this.#mailboxes.done(),
      mailboxesOf: this.#mailboxesOf.done(),
      credentials: this.#credentials.done(),
      credentialsOf: this.#credentialsOf.done(),
      sharedKeys: this.#sharedKeys.done(),
      workflows: this.#workflows.done(),
      registered: this.#registered.done(),
      rules: this.#rules.done(),
      revoked: this.#revoked.done(),
    };
  }
}

function indexAcknowledged(workflows: Iterable<WorkflowRecord>): ReadonlyMap<string, readonly string[]> {
  const lists = new Map<string, string[]>();
  for (const { workflowId, ackWorkflowId } of workflows) {
    if (ackWorkflowId !== null && ackWorkflowId !== workflowId) pushTo(lists, ackWorkflowId, workflowId);
  }
  for (const list of lists.values()) list.sort(compareText);
  return lists;
}

function openSharedKeys(records: Iterable<SharedKeyRecord>, unseal: Unseal): readonly SharedKey[] {
  return [...records].map(({ sharedKeyId, sealed, validFromMs, validToMs }) => ({
    key: unseal(sealed, sharedKeyContext(sharedKeyId)),
    validFromMs,
    validToMs,
  }));
}

const nothing: readonly string[] = [];

function byId<K extends string, V>(map: ReadonlyMap<K, V>): readonly V[] {
  return [...map].sort(([a], [b]) => compareText(a, b)).map(([, value]) => value);
}

/** The newest first; of equals the one with the lowest id. */
function newestFirst(a: Credential, b: Credential): number {
  return b.record.validFromMs - a.record.validFromMs || compareText(a.record.credentialId, b.record.credentialId);
}

/** What may be asked of tables. Costs as much as there are workflows and groups. */
export function viewSnapshot(tables: RegistryTables, unseal: Unseal): RegistrySnapshot {
  const { mailboxes, credentialsOf, workflows, registered, revoked } = tables;
  const acknowledged = indexAcknowledged(workflows.values());
  let sharedKeys: readonly SharedKey[] | undefined;
  const withRules = (rules: readonly RuleRecord[]): RegistrySnapshot => ({ ...snapshot, rules: indexRules(rules) });
  const snapshot: RegistrySnapshot = {
    version: tables.version,
    mailbox: (id) => mailboxes.get(id),
    mailboxes: () => byId(mailboxes),
    passwords(id, nowMs) {
      const own = credentialsOf.get(id);
      if (own === undefined) return nothing;
      const valid: Credential[] = [];
      for (const credential of own.values()) if (isValidAt(credential.record, nowMs)) valid.push(credential);
      if (valid.length > 1) valid.sort(newestFirst);
      return valid.map((credential) => openPassword(credential, unseal));
    },
    sharedKeys() {
      sharedKeys ??= openSharedKeys(tables.sharedKeys.values(), unseal);
      return sharedKeys;
    },
    ...viewRegistered(registered, tables),
    workflow: (id) => workflows.get(id),
    workflows: () => byId(workflows),
    groups: () => byId(registered.groups),
    acknowledges: (workflowId) => acknowledged.get(workflowId) ?? nothing,
    rules: viewRules(tables.rules),
    withRules,
    isRevoked: (fingerprint) => revoked.has(fingerprint),
  };
  return snapshot;
}

/** All of a registry at once. `unseal` is called with the context `credential:ID`. */
export function buildSnapshot(records: RegistryRecords, unseal: Unseal): RegistrySnapshot {
  return viewSnapshot(new RegistryDraft(emptyTables).put(records).done(records.version), unseal);
}
