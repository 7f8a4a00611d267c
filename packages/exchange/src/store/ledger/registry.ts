import type { MailboxId } from '@openmesh/protocol';
import type { AuditEntry } from './audit.ts';
import type { NonceClaim, NonceUsed } from './nonces.ts';

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

export type WorkflowStatus = 'draft' | 'live' | 'deprecated' | 'withdrawn';

export interface WorkflowRecord {
  readonly workflowId: string;
  readonly description: string;
  readonly status: WorkflowStatus;
  readonly restricted: boolean;
}

export type RegistrationRole = 'initiator' | 'responder';

export interface RegistrationRecord {
  readonly mailboxId: MailboxId;
  readonly workflowId: string;
  readonly role: RegistrationRole;
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
  readonly workflows: readonly WorkflowRecord[];
  readonly registrations: readonly RegistrationRecord[];
  readonly certificates: readonly CertificateRecord[];
}

/** Rows to put (insert or replace by key) and to drop; all of it or nothing, one version further. */
export interface RegistryChange {
  readonly mailboxes?: readonly MailboxRecord[];
  readonly credentials?: readonly CredentialRecord[];
  readonly workflows?: readonly WorkflowRecord[];
  readonly registrations?: readonly RegistrationRecord[];
  readonly certificates?: readonly CertificateRecord[];
  readonly dropRegistrations?: readonly Pick<RegistrationRecord, 'mailboxId' | 'workflowId' | 'role'>[];
  readonly audit: AuditEntry;
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
  load(): Promise<RegistryRecords>;
  /** Resolves to the new version. A change that alters no row keeps the version and writes no audit entry. */
  change(change: RegistryChange): Promise<{ readonly version: number; readonly rowsChanged: number }>;
  recordConnection(
    facts: ConnectionFacts,
    nonce: NonceClaim | null,
  ): Promise<{ readonly kind: 'recorded' } | NonceUsed>;
  connections(query: { mailbox: MailboxId; limit: number }): Promise<readonly ConnectionFacts[]>;
}
