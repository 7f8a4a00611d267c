import { createHash } from 'node:crypto';
import { credentialContext, type Sealer } from '@openmesh/exchange/mailbox/sealer.ts';
import {
  type CertificateRecord,
  type CredentialRecord,
  type MailboxRecord,
  type RegistrationRecord,
  type RegistryChange,
  type WorkflowRecord,
  workflowDefaults,
} from '@openmesh/exchange/store/ledger/registry.ts';
import type {
  ApprovalRecord,
  MembershipRecord,
  RuleRecord,
  WorkflowGroupRecord,
} from '@openmesh/exchange/store/ledger/routing-records.ts';
import { parseMailboxId } from '@openmesh/protocol';

/** A mailbox to seed: what is not said is as for any mailbox of organisation X26. */
export type MailboxSeed = Partial<Omit<MailboxRecord, 'mailboxId'>> & {
  readonly id: string;
  readonly password?: string;
};

export interface RegistrySeeds {
  readonly mailboxes?: readonly MailboxSeed[];
  readonly workflows?: readonly (Partial<WorkflowRecord> & Pick<WorkflowRecord, 'workflowId'>)[];
  readonly registrations?: readonly (Partial<RegistrationRecord> &
    Pick<RegistrationRecord, 'workflowId' | 'role'> & { readonly mailbox: string })[];
  readonly certificates?: readonly CertificateRecord[];
  readonly groups?: readonly WorkflowGroupRecord[];
  readonly memberships?: readonly MembershipRecord[];
  readonly approvals?: readonly ApprovalRecord[];
  readonly rules?: readonly RuleRecord[];
}

export const seededPassword = 'kit-password';

/** The mailboxes of most scenarios: two of one organisation, one of another, and one that was disabled. */
export const usualMailboxes: readonly MailboxSeed[] = [
  { id: 'X26ABC1', name: 'TESTMB1', orgName: 'North Hospital' },
  { id: 'X26ABC2', name: 'TESTMB2' },
  { id: 'Y99ABC3', name: 'TESTMB3', odsCode: 'Y99', orgCode: 'Y99' },
  { id: 'X26OFF4', name: 'TESTMB4', state: 'disabled' },
];

/** The rows of a change of the registry that puts these seeds in. Throws when a mailbox id is none. */
export function toRegistryChange(seeds: RegistrySeeds, sealer: Pick<Sealer, 'seal'>, atMs: number): RegistryChange {
  const { mailboxes = [], workflows = [], registrations = [], certificates = [] } = seeds;
  const { groups = [], memberships = [], approvals = [], rules = [] } = seeds;
  return {
    mailboxes: mailboxes.map(mailboxRow),
    credentials: mailboxes.map((seed) => credentialRow(seed, sealer)),
    workflows: workflows.map((seed) => ({ ...workflowDefaults, ...seed })),
    registrations: registrations.map(({ mailbox, ...seed }) => ({
      mailboxId: canonical(mailbox),
      approvalId: null,
      validFromMs: 0,
      validToMs: null,
      ...seed,
    })),
    certificates,
    groups,
    memberships,
    approvals,
    rules,
    audit: { atMs, actor: 'kit', action: 'registry.seed', subject: '', detail: '{}' },
  };
}

function mailboxRow({ id, password: _password, ...seed }: MailboxSeed): MailboxRecord {
  return {
    mailboxId: canonical(id),
    name: id,
    odsCode: 'X26',
    orgCode: 'X26',
    orgName: '',
    billingEntity: 'England',
    state: 'active',
    certificateMatch: null,
    delegatedOdsCodes: [],
    receivesChunked: true,
    ...seed,
  };
}

function credentialRow({ id, password = seededPassword }: MailboxSeed, sealer: Pick<Sealer, 'seal'>): CredentialRecord {
  const credentialId = `kit-${createHash('sha256').update(`${id}\n${password}`).digest('hex').slice(0, 16)}`;
  const sealed = sealer.seal(password, credentialContext(credentialId));
  return { credentialId, mailboxId: canonical(id), kind: 'password', sealed, validFromMs: 0, validToMs: null };
}

function canonical(id: string): MailboxRecord['mailboxId'] {
  const mailboxId = parseMailboxId(id);
  if (mailboxId === undefined) throw new RangeError(`${id} is no mailbox id`);
  return mailboxId;
}
