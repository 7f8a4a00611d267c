import type { MailboxId } from '@openmesh/protocol';
import type { AuditEntry } from './audit.ts';
import type { NonceClaim, NonceUsed } from './nonces.ts';
import type { ApprovalRecord, MembershipRecord, RuleRecord, WorkflowGroupRecord } from './routing-records.ts';

export type MailboxState = 'active' | 'disabled' | 'closed';
export type CertificateMatch = 'off' | 'warn' | 'enforce';

export interface MailboxRecord {
  readonly mailboxId: MailboxId;
  readonly name: string;
  readonly odsCode: string;
  readonly orgCode: string;
  readonly orgName: string;
  readonly billingEntity: string;
  readonly state: MailboxState;
  /** null: the setting of the exchange. */
  readonly certificateMatch: CertificateMatch | null;
  /** Organisation codes of certificates that may speak for this mailbox besides its own. */
  readonly delegatedOdsCodes: readonly string[];
  /** May receive messages of more than one chunk. */
  readonly receivesChunked: boolean;
}

/** Several may be valid at once, so that a password can be changed without a gap. */
export interface CredentialRecord {
  readonly credentialId: string;
  readonly mailboxId: MailboxId;
  readonly kind: 'password';
  /** Sealed under the secret key; base64. */
  readonly sealed: string;
  readonly validFromMs: number;
  readonly validToMs: number | null;
}

/** A key of the token hash, the same for all callers. Two may be valid at once, so that it can be changed without a gap. */
export interface SharedKeyRecord {
  readonly sharedKeyId: string;
  /** Sealed under the secret key; base64. */
  readonly sealed: string;
  readonly validFromMs: number;
  readonly validToMs: number | null;
}

export type WorkflowStatus = 'draft' | 'live' | 'deprecated' | 'withdrawn';

export type WorkflowPurpose = 'request' | 'acknowledgement' | 'report' | 'event';

export interface WorkflowRecord {
  readonly workflowId: string;
  readonly title: string;
  readonly description: string;
  /** The programme that owns it. */
  readonly owner: string;
  readonly purpose: WorkflowPurpose;
  readonly status: WorkflowStatus;
  readonly restricted: boolean;
  /** Under which workflow it is acknowledged; null when it is not, or under its own. */
  readonly ackWorkflowId: string | null;
  /** May be sent to a patient's practice. */
  readonly gpRouting: boolean;
  /** Of a whole message; null: the setting of the exchange. */
  readonly sizeBytesMax: number | null;
  /** May be sent in several chunks. */
  readonly chunking: boolean;
  readonly civilRegistration: boolean;
  readonly payloadType: string;
  /** Where this entry was learned from. */
  readonly source: string;
}

/** What a workflow is of which only the id is known. */
export const workflowDefaults = {
  title: '',
  description: '',
  owner: '',
  purpose: 'request',
  status: 'live',
  restricted: false,
  ackWorkflowId: null,
  gpRouting: false,
  sizeBytesMax: null,
  chunking: true,
  civilRegistration: false,
  payloadType: '',
  source: '',
} as const satisfies Omit<WorkflowRecord, 'workflowId'>;

export type RegistrationRole = 'initiator' | 'responder';

export interface RegistrationRecord {
  readonly mailboxId: MailboxId;
  readonly workflowId: string;
  readonly role: RegistrationRole;
  /** The approval it rests on; without effect on restricted workflows when that is not in force. null: none is named. */
  readonly approvalId: string | null;
  readonly validFromMs: number;
  readonly validToMs: number | null;
}

/** A client certificate known to the exchange; `revokedAtMs` refuses it from the next request on. */
export interface CertificateRecord {
  /** SHA-256 of the DER form, lower-case hex. */
  readonly fingerprint: string;
  readonly serial: string;
  readonly subject: string;
  readonly mailboxId: MailboxId | null;
  readonly revokedAtMs: number | null;
}

/** Everything that routing and the porch decide on, at one version. */
export interface RegistryRecords {
  readonly version: number;
  readonly mailboxes: readonly MailboxRecord[];
  readonly credentials: readonly CredentialRecord[];
  readonly sharedKeys: readonly SharedKeyRecord[];
  readonly workflows: readonly WorkflowRecord[];
  readonly registrations: readonly RegistrationRecord[];
  readonly groups: readonly WorkflowGroupRecord[];
  readonly memberships: readonly MembershipRecord[];
  readonly approvals: readonly ApprovalRecord[];
  /** Every version of every rule. */
  readonly rules: readonly RuleRecord[];
  readonly certificates: readonly CertificateRecord[];
}

/** The registry's tables by the name of their rows. */
export type RegistryTable = Exclude<keyof RegistryRecords, 'version'>;

export type RegistrationKey = Pick<RegistrationRecord, 'mailboxId' | 'workflowId' | 'role'>;
export type MembershipKey = Pick<MembershipRecord, 'mailboxId' | 'groupId' | 'part'>;

/** Rows to put (insert or replace by key) and to drop. */
export interface RegistryRows extends Partial<Omit<RegistryRecords, 'version'>> {
  readonly dropRegistrations?: readonly RegistrationKey[];
  readonly dropMemberships?: readonly MembershipKey[];
}

/** All of it or nothing, one version further. */
export interface RegistryChange extends RegistryRows {
  /** The version the change was decided on: nothing is changed when the registry has moved since. */
  readonly ifVersion?: number;
  readonly audit: AuditEntry;
}

/** What makes of the registry as it was the registry as it is: rows as they stand at `version`, and those that are gone. */
export interface RegistryDelta extends RegistryRows {
  readonly version: number;
}

/** Where the next page of the registry begins. */
export interface RegistryCursor {
  readonly table: RegistryTable;
  /** The key of the last row that was read, column by column; null: from the first. */
  readonly after: readonly (string | number)[] | null;
}

/** Rows of one table, and where those after them begin; null after the last of the last table. */
export interface RegistryPage {
  readonly rows: RegistryRows;
  readonly next: RegistryCursor | null;
}

export interface RegistryChanged {
  readonly version: number;
  readonly rowsChanged: number;
  /** `ifVersion` was no longer the version: nothing was changed. */
  readonly stale?: true;
}

/** What a client said of itself at its last handshake; kept for the connection history. */
export interface ConnectionFacts {
  readonly mailbox: MailboxId;
  readonly atMs: number;
  readonly clientVersion: string;
  readonly osName: string;
  readonly osVersion: string;
  readonly osArchitecture: string;
  readonly javaVersion: string;
  readonly userAgent: string;
}

export interface RegistryLedger {
  version(): Promise<number>;
  /** All of it at once, consistent: for those whom nobody waits for. */
  load(): Promise<RegistryRecords>;
  /**
   * What has changed since a version, consistent; null when that is no longer known or is so much that pages are the
   * better way. Of the version that is current: a delta without rows.
   */
  changesSince(version: number): Promise<RegistryDelta | null>;
  /** Some rows from a place on. Between two pages the registry may move: see `changesSince`. */
  page(from: RegistryCursor): Promise<RegistryPage>;
  /** Resolves to the new version. A change that alters no row keeps the version and writes no audit entry. */
  change(change: RegistryChange): Promise<RegistryChanged>;
  recordConnection(
    facts: ConnectionFacts,
    nonce: NonceClaim | null,
  ): Promise<{ readonly kind: 'recorded' } | NonceUsed>;
  connections(query: { mailbox: MailboxId; limit: number }): Promise<readonly ConnectionFacts[]>;
}
