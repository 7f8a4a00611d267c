import type { MailboxId } from '@openmesh/protocol';
import type {
  CertificateRecord,
  CredentialRecord,
  MailboxRecord,
  RegistrationRecord,
  RegistryChange,
  RegistryRecords,
  WorkflowRecord,
} from '../../store/ledger/registry.ts';
import type {
  ApprovalRecord,
  MembershipRecord,
  RuleRecord,
  WorkflowGroupRecord,
} from '../../store/ledger/routing-records.ts';
import type { Sealer } from '../sealer.ts';
import { ChangedRows, type KindCounts } from './changed-rows.ts';
import type { Entry, EntryKind } from './entry.ts';
import { EntryProblem, quoted } from './member-readers.ts';
import { membershipKey, mergeApproval, mergeGroup, mergeMembership, mergeRule, ruleKey } from './merge-routing.ts';
import {
  type CurrentRows,
  indexRows,
  mergeCertificate,
  mergeCredential,
  mergeMailbox,
  mergeRegistration,
  mergeWorkflow,
  registrationKey,
} from './merge-rows.ts';

export const entriesMax = 2_000_000;
/** After this many problems reading stops: the rest would be more of the same. */
export const problemsMax = 100;

export interface ImportProblem {
  /** Counted from 1. */
  readonly line: number;
  /** In words that never repeat a value of the line. */
  readonly problem: string;
}

/** Rows to put, by kind. */
export type PlannedRows = Omit<RegistryChange, 'audit' | 'ifVersion' | 'dropRegistrations' | 'dropMemberships'>;

/** What an import would do. `change` is to be applied only when there is no problem. */
export interface ImportPlan {
  readonly problems: readonly ImportProblem[];
  /** Reading stopped at the limit of problems: there may be more. */
  readonly stopped: boolean;
  readonly lines: number;
  readonly counts: Readonly<Record<EntryKind, KindCounts>>;
  /** Rows that differ from those that are there, and no others. */
  readonly change: PlannedRows;
}

/** Collects entries against the rows that are there. Lines may come in any order. */
export class PlanBuilder {
  readonly #current: CurrentRows;
  readonly #sealer: Sealer;
  readonly #mailboxes = new ChangedRows<MailboxRecord>();
  readonly #credentials = new ChangedRows<CredentialRecord>();
  readonly #workflows = new ChangedRows<WorkflowRecord>();
  readonly #registrations = new ChangedRows<RegistrationRecord>();
  readonly #groups = new ChangedRows<WorkflowGroupRecord>();
  readonly #memberships = new ChangedRows<MembershipRecord>();
  readonly #approvals = new ChangedRows<ApprovalRecord>();
  readonly #rules = new ChangedRows<RuleRecord>();
  readonly #certificates = new ChangedRows<CertificateRecord>();
  /** Names that no row has yet: a later line may still give them. */
  readonly #unmet: {
    readonly line: number;
    readonly mailboxId?: MailboxId;
    readonly workflowId?: string;
    readonly groupId?: string;
  }[] = [];
  readonly #problems: ImportProblem[] = [];
  #entries = 0;
  #stopped = false;

  constructor(current: RegistryRecords, sealer: Sealer) {
    this.#current = indexRows(current);
    this.#sealer = sealer;
  }

  /** Nothing more is worth reading: the limit of problems or of entries is reached. */
  get stopped(): boolean {
    return this.#stopped;
  }

  note(line: number, problem: string): void {
    if (this.#problems.length < problemsMax) this.#problems.push({ line, problem });
    else this.#stopped = true;
  }

  /** Takes one entry, or notes what is wrong with it. */
  add(entry: Entry): void {
    this.#entries += 1;
    if (this.#entries > entriesMax) {
      this.note(entry.line, `more than ${entriesMax} entries: import them in parts`);
      this.#stopped = true;
      return;
    }
    try {
      this.#put(entry);
    } catch (error) {
      if (!(error instanceof EntryProblem)) throw error;
      this.note(entry.line, error.message);
    }
  }

  #put(entry: Entry): void {
    const { line } = entry;
    switch (entry.kind) {
      case 'mailbox': {
        const before = this.#current.mailboxes.get(entry.mailboxId);
        return this.#mailboxes.put(entry.mailboxId, line, mergeMailbox(entry, before), before);
      }
      case 'credential': {
        const row = mergeCredential(entry, this.#current.credentials, this.#sealer);
        this.#needMailbox(line, row.mailboxId);
        return this.#credentials.put(row.credentialId, line, row, this.#current.credentials.get(row.credentialId));
      }
      case 'workflow': {
        const before = this.#current.workflows.get(entry.workflowId);
        return this.#workflows.put(entry.workflowId, line, mergeWorkflow(entry, before), before);
      }
      case 'registration': {
        const key = registrationKey(entry);
        const before = this.#current.registrations.get(key);
        this.#needMailbox(line, entry.mailboxId);
        this.#needWorkflow(line, entry.workflowId);
        return this.#registrations.put(key, line, mergeRegistration(entry, before), before);
      }
      case 'group': {
        const before = this.#current.groups.get(entry.groupId);
        const row = mergeGroup(entry, before);
        for (const id of [...row.initiatorIds, ...row.responderIds]) this.#needWorkflow(line, id);
        return this.#groups.put(entry.groupId, line, row, before);
      }
      case 'membership': {
        const key = membershipKey(entry);
        const before = this.#current.memberships.get(key);
        this.#needMailbox(line, entry.mailboxId);
        this.#needGroup(line, entry.groupId);
        return this.#memberships.put(key, line, mergeMembership(entry, before), before);
      }
      case 'approval': {
        const before = this.#current.approvals.get(entry.approvalId);
        const row = mergeApproval(entry, before);
        this.#needWorkflow(line, row.workflowId);
        return this.#approvals.put(entry.approvalId, line, row, before);
      }
      case 'rule': {
        const key = ruleKey(entry);
        const before = this.#current.rules.get(key);
        return this.#rules.put(key, line, mergeRule(entry, before), before);
      }
      case 'certificate': {
        const before = this.#current.certificates.get(entry.fingerprint);
        const row = mergeCertificate(entry, before);
        this.#needMailbox(line, row.mailboxId);
        return this.#certificates.put(entry.fingerprint, line, row, before);
      }
    }
  }

  #needMailbox(line: number, mailboxId: MailboxId | null): void {
    if (mailboxId === null || this.#current.mailboxes.has(mailboxId) || this.#mailboxes.has(mailboxId)) return;
    this.#unmet.push({ line, mailboxId });
  }

  #needWorkflow(line: number, workflowId: string): void {
    if (this.#current.workflows.has(workflowId) || this.#workflows.has(workflowId)) return;
    this.#unmet.push({ line, workflowId });
  }

  #needGroup(line: number, groupId: string): void {
    if (!this.#current.groups.has(groupId) && !this.#groups.has(groupId)) this.#unmet.push({ line, groupId });
  }

  #noteUnmet(): void {
    for (const { line, mailboxId, workflowId, groupId } of this.#unmet) {
      if (groupId !== undefined && !this.#groups.has(groupId)) this.note(line, `no such group: ${quoted(groupId)}`);
      if (mailboxId !== undefined && !this.#mailboxes.has(mailboxId)) this.note(line, `no such mailbox: ${mailboxId}`);
      if (workflowId !== undefined && !this.#workflows.has(workflowId)) {
        this.note(line, `no such workflow: ${quoted(workflowId)}`);
      }
    }
  }

  finish(lines: number): ImportPlan {
    // Lines not read might have given what is missing.
    if (!this.#stopped) this.#noteUnmet();
    return {
      problems: this.#problems.sort((a, b) => a.line - b.line),
      stopped: this.#stopped,
      lines,
      counts: {
        mailbox: this.#mailboxes.counts(),
        credential: this.#credentials.counts(),
        workflow: this.#workflows.counts(),
        registration: this.#registrations.counts(),
        group: this.#groups.counts(),
        membership: this.#memberships.counts(),
        approval: this.#approvals.counts(),
        rule: this.#rules.counts(),
        certificate: this.#certificates.counts(),
      },
      change: {
        mailboxes: this.#mailboxes.write,
        credentials: this.#credentials.write,
        workflows: this.#workflows.write,
        registrations: this.#registrations.write,
        groups: this.#groups.write,
        memberships: this.#memberships.write,
        approvals: this.#approvals.write,
        rules: this.#rules.write,
        certificates: this.#certificates.write,
      },
    };
  }
}
