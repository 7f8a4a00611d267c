import type { MailboxId } from '@openmesh/protocol';
import {
  type CertificateRecord,
  type CredentialRecord,
  type MailboxRecord,
  type RegistrationRecord,
  type RegistryRecords,
  type WorkflowRecord,
  workflowDefaults,
} from '../../store/ledger/registry.ts';
import type {
  ApprovalRecord,
  MembershipRecord,
  RuleRecord,
  WorkflowGroupRecord,
} from '../../store/ledger/routing-records.ts';
import { credentialContext, type Sealer, SealFault } from '../sealer.ts';
import type { Entry } from './entry.ts';
import { checkDates, EntryProblem } from './member-readers.ts';
import { membershipKey, ruleKey } from './merge-routing.ts';

type EntryOf<K extends Entry['kind']> = Extract<Entry, { kind: K }>;

/** The rows that are there, by key. */
export interface CurrentRows {
  readonly mailboxes: ReadonlyMap<MailboxId, MailboxRecord>;
  readonly credentials: ReadonlyMap<string, CredentialRecord>;
  readonly workflows: ReadonlyMap<string, WorkflowRecord>;
  readonly registrations: ReadonlyMap<string, RegistrationRecord>;
  readonly groups: ReadonlyMap<string, WorkflowGroupRecord>;
  readonly memberships: ReadonlyMap<string, MembershipRecord>;
  readonly approvals: ReadonlyMap<string, ApprovalRecord>;
  readonly rules: ReadonlyMap<string, RuleRecord>;
  readonly certificates: ReadonlyMap<string, CertificateRecord>;
}

/** No id holds a line feed, so the three cannot be read as another three. */
export function registrationKey(row: Pick<RegistrationRecord, 'mailboxId' | 'workflowId' | 'role'>): string {
  return `${row.role}\n${row.mailboxId}\n${row.workflowId}`;
}

export function indexRows(records: RegistryRecords): CurrentRows {
  return {
    mailboxes: new Map(records.mailboxes.map((row) => [row.mailboxId, row])),
    credentials: new Map(records.credentials.map((row) => [row.credentialId, row])),
    workflows: new Map(records.workflows.map((row) => [row.workflowId, row])),
    registrations: new Map(records.registrations.map((row) => [registrationKey(row), row])),
    groups: new Map(records.groups.map((row) => [row.groupId, row])),
    memberships: new Map(records.memberships.map((row) => [membershipKey(row), row])),
    approvals: new Map(records.approvals.map((row) => [row.approvalId, row])),
    rules: new Map(records.rules.map((row) => [ruleKey(row), row])),
    certificates: new Map(records.certificates.map((row) => [row.fingerprint, row])),
  };
}

/**
 * Names of a password's row, the one to write first: a keyed digest of mailbox and password, so that giving the same
 * password twice means the same row without the password being opened or stored in the clear.
 */
export function credentialIds(sealer: Sealer, mailboxId: MailboxId, password: string): readonly string[] {
  return sealer.lookupKeys(password, `credential:${mailboxId}`);
}

/** A mailbox needs a name and an organisation before it can be; `given` and `before` are merged over the defaults. */
export function mergeMailbox(entry: EntryOf<'mailbox'>, before: MailboxRecord | undefined): MailboxRecord {
  const { mailboxId, given } = entry;
  const name = given.name ?? before?.name;
  const odsCode = given.odsCode ?? before?.odsCode;
  if (name === undefined || odsCode === undefined) {
    throw new EntryProblem(`mailbox ${mailboxId} is new and needs name and odsCode`);
  }
  const defaults = {
    orgCode: odsCode,
    orgName: '',
    billingEntity: '',
    state: 'active',
    certificateMatch: null,
    delegatedOdsCodes: [],
    receivesChunked: true,
  } as const;
  return { ...defaults, ...before, ...given, mailboxId, name, odsCode };
}

export function mergeWorkflow(entry: EntryOf<'workflow'>, before: WorkflowRecord | undefined): WorkflowRecord {
  return { ...workflowDefaults, ...before, ...entry.given, workflowId: entry.workflowId };
}

const always = { validFromMs: 0, validToMs: null } as const;
const withoutApproval = { approvalId: null, ...always } as const;

export function mergeRegistration(
  entry: EntryOf<'registration'>,
  before: RegistrationRecord | undefined,
): RegistrationRecord {
  const { mailboxId, workflowId, role, given } = entry;
  return checkDates({ ...withoutApproval, ...before, ...given, mailboxId, workflowId, role });
}

export function mergeCertificate(
  entry: EntryOf<'certificate'>,
  before: CertificateRecord | undefined,
): CertificateRecord {
  const { fingerprint, given } = entry;
  const serial = given.serial ?? before?.serial;
  if (serial === undefined) throw new EntryProblem(`certificate ${fingerprint} is new and needs its serial`);
  return { subject: '', mailboxId: null, revokedAtMs: null, ...before, ...given, fingerprint, serial };
}

/**
 * A password in the clear is sealed at once, unless its row is there; a sealed one must open here, or the mailbox
 * could never be signed in to.
 */
export function mergeCredential(
  entry: EntryOf<'credential'>,
  rows: ReadonlyMap<string, CredentialRecord>,
  sealer: Sealer,
): CredentialRecord {
  const { mailboxId, source, given } = entry;
  if ('password' in source) {
    const ids = credentialIds(sealer, mailboxId, source.password);
    const before = ids.map((id) => rows.get(id)).find((row) => row !== undefined);
    const credentialId = before?.credentialId ?? ids[0];
    if (credentialId === undefined) throw new Error('a sealer without keys names no credential');
    const sealed = before?.sealed ?? sealer.seal(source.password, credentialContext(credentialId));
    return checkDates({ ...always, ...before, ...given, credentialId, mailboxId, kind: 'password', sealed });
  }
  const { credentialId, sealed } = source;
  const before = rows.get(credentialId);
  if (before !== undefined && before.mailboxId !== mailboxId) {
    throw new EntryProblem('credentialId belongs to another mailbox');
  }
  if (before?.sealed !== sealed) checkOpens(sealer, credentialId, sealed);
  return checkDates({ ...always, ...before, ...given, credentialId, mailboxId, kind: 'password', sealed });
}

function checkOpens(sealer: Sealer, credentialId: string, sealed: string): void {
  try {
    sealer.open(sealed, credentialContext(credentialId));
  } catch (error) {
    if (!(error instanceof SealFault)) throw error;
    throw new EntryProblem(
      error.kind === 'unknown-key'
        ? 'sealed under a key that this exchange does not hold: add it to the secret key file, or give the password'
        : 'sealed is damaged or belongs to another credentialId',
    );
  }
}
