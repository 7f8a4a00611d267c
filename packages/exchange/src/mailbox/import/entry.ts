import type { MailboxId } from '@openmesh/protocol';
import type {
  CertificateRecord,
  CredentialRecord,
  MailboxRecord,
  RegistrationRecord,
  RegistrationRole,
  WorkflowRecord,
} from '../../store/ledger/registry.ts';
import type {
  ApprovalRecord,
  GroupPart,
  RulePapers,
  RuleRecord,
  WorkflowGroupRecord,
} from '../../store/ledger/routing-records.ts';
import * as read from './member-readers.ts';
import { EntryProblem } from './member-readers.ts';
import { keyMembers, shapes } from './shapes.ts';

export const entryKinds = [
  'mailbox',
  'credential',
  'workflow',
  'group',
  'approval',
  'registration',
  'membership',
  'rule',
  'certificate',
] as const;
export type EntryKind = (typeof entryKinds)[number];

/** The version that the first line of an export names, and the only one that is read. */
export const fileVersion = 1;
/** The first line, `{"kind":"openmesh-registry","version":1}`; it may be left out. */
export const headerKind = 'openmesh-registry';

export type PasswordSource =
  | { readonly password: string }
  /** Sealed under this exchange's key; the id is bound into the seal. */
  | { readonly credentialId: string; readonly sealed: string };

type Dates = Partial<Pick<RegistrationRecord, 'approvalId' | 'validFromMs' | 'validToMs'>>;

/**
 * One line of an import: the key of a row, and the members it gives. A member that is left out keeps its value, or
 * takes its default in a new row, so that a line can say as little as `disabled`.
 */
export type Entry = { readonly line: number } & (
  | {
      readonly kind: 'mailbox';
      readonly mailboxId: MailboxId;
      readonly given: Partial<Omit<MailboxRecord, 'mailboxId'>>;
    }
  | {
      readonly kind: 'credential';
      readonly mailboxId: MailboxId;
      readonly source: PasswordSource;
      readonly given: Partial<Pick<CredentialRecord, 'validFromMs' | 'validToMs'>>;
    }
  | {
      readonly kind: 'workflow';
      readonly workflowId: string;
      readonly given: Partial<Omit<WorkflowRecord, 'workflowId'>>;
    }
  | {
      readonly kind: 'registration';
      readonly mailboxId: MailboxId;
      readonly workflowId: string;
      readonly role: RegistrationRole;
      readonly given: Dates;
    }
  | { readonly kind: 'group'; readonly groupId: string; readonly given: Partial<Omit<WorkflowGroupRecord, 'groupId'>> }
  | {
      readonly kind: 'membership';
      readonly mailboxId: MailboxId;
      readonly groupId: string;
      readonly part: GroupPart;
      readonly given: Dates;
    }
  | {
      readonly kind: 'approval';
      readonly approvalId: string;
      readonly given: Partial<Omit<ApprovalRecord, 'approvalId'>>;
    }
  | {
      readonly kind: 'rule';
      readonly ruleId: string;
      readonly version: number;
      readonly given: Partial<Omit<RuleRecord, 'ruleId' | 'version' | 'papers'>> & Partial<RulePapers>;
    }
  | {
      readonly kind: 'certificate';
      readonly fingerprint: string;
      readonly given: Partial<Omit<CertificateRecord, 'fingerprint'>>;
    }
);

function parseObject(line: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // The parser's own words quote the line, which may hold a password.
    throw new EntryProblem('not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new EntryProblem('not a JSON object');
  return value as Record<string, unknown>;
}

function readSource(members: Record<string, unknown>): PasswordSource {
  const { password, credentialId, sealed } = members as { password?: string; credentialId?: string; sealed?: string };
  if (password !== undefined && credentialId === undefined && sealed === undefined) return { password };
  if (password === undefined && credentialId !== undefined && sealed !== undefined) return { credentialId, sealed };
  throw new EntryProblem('a credential has either password, or credentialId and sealed');
}

/** A header, which says which version the file is of. Throws `EntryProblem` for a version that cannot be read. */
function checkHeader(object: Readonly<Record<string, unknown>>): void {
  const members = Object.keys(object);
  if (object['version'] !== fileVersion || members.length !== 2) {
    throw new EntryProblem(`not a version that can be read: this exchange reads version ${fileVersion}`);
  }
}

/** Reads one line of an import; undefined for the header. Throws `EntryProblem`, which never repeats a value. */
export function parseEntry(text: string, line: number): Entry | undefined {
  return readEntry(parseObject(text), line);
}

/** The same for a line that is an object already. */
export function readEntry(object: Readonly<Record<string, unknown>>, line: number): Entry | undefined {
  const kind = entryKinds.find((candidate) => candidate === object['kind']);
  if (kind === undefined) {
    if (object['kind'] !== headerKind) throw new EntryProblem(`kind must be one of ${entryKinds.join(', ')}`);
    if (line !== 1) throw new EntryProblem(`kind ${headerKind} belongs on the first line`);
    checkHeader(object);
    return undefined;
  }
  const members = read.readMembers(object, shapes[kind]);
  for (const member of keyMembers[kind]) {
    if (members[member] === undefined) throw new EntryProblem(`${member} is missing`);
  }
  const validFromMs = members['validFromMs'] as number | undefined;
  const validToMs = members['validToMs'] as number | null | undefined;
  if (validFromMs !== undefined && typeof validToMs === 'number' && validToMs < validFromMs) {
    throw new EntryProblem('validTo must not be before validFrom');
  }
  if (kind === 'credential') {
    const { mailboxId, password, credentialId, sealed, ...given } = members;
    return { kind, line, mailboxId, source: readSource({ password, credentialId, sealed }), given } as Entry;
  }
  const key = Object.fromEntries(keyMembers[kind].map((member) => [member, members[member]]));
  const given = Object.fromEntries(Object.entries(members).filter(([member]) => !keyMembers[kind].includes(member)));
  // The shape of the kind has read every member into the type of its record.
  return { kind, line, ...key, given } as Entry;
}
