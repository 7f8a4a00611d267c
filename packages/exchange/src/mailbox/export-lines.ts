import type { RegistryRecords } from '../store/ledger/registry.ts';
import type { RuleRecord } from '../store/ledger/routing-records.ts';
import { fileVersion, headerKind } from './import/entry.ts';

function date(ms: number): string {
  return new Date(ms).toISOString();
}

/** Said also when they are the defaults: an import leaves alone what a line leaves out. */
function dates({ validFromMs, validToMs }: { readonly validFromMs: number; readonly validToMs: number | null }) {
  return { validFrom: date(validFromMs), validTo: validToMs === null ? null : date(validToMs) };
}

/** A rule under the names that an import line gives its members. */
export function ruleMembers({ papers, ...rule }: RuleRecord) {
  const { workflowId: ifWorkflow, activeFromMs, activeToMs, reviewOnMs, ...terms } = rule;
  const { proposedAtMs, decidedAtMs, ...told } = papers;
  return {
    ...terms,
    ifWorkflow,
    activeFrom: date(activeFromMs),
    activeTo: activeToMs === null ? null : date(activeToMs),
    reviewOn: date(reviewOnMs),
    ...told,
    proposedAt: date(proposedAtMs),
    decidedAt: decidedAtMs === null ? null : date(decidedAtMs),
  };
}

function line(object: object): string {
  return `${JSON.stringify(object)}\n`;
}

/**
 * The whole registry as the lines of an import, each with its line feed: a header, then mailboxes, workflows, groups,
 * approvals, sealed credentials, registrations, memberships, rules and certificates. Importing them where the same secret
 * key is held changes nothing, and later takes back what was changed of these rows.
 */
export function* exportLines(records: RegistryRecords): Generator<string> {
  yield line({ kind: headerKind, version: fileVersion });
  for (const row of records.mailboxes) yield line({ kind: 'mailbox', ...row });
  for (const row of records.workflows) yield line({ kind: 'workflow', ...row });
  for (const row of records.groups) yield line({ kind: 'group', ...row });
  for (const { validFromMs, validToMs, reviewOnMs, ...row } of records.approvals) {
    const approval = { kind: 'approval', ...row, validFrom: date(validFromMs), validTo: date(validToMs) };
    yield line({ ...approval, reviewOn: date(reviewOnMs) });
  }
  for (const { mailboxId, credentialId, sealed, ...row } of records.credentials) {
    yield line({ kind: 'credential', mailboxId, credentialId, sealed, ...dates(row) });
  }
  for (const { mailboxId, workflowId, role, approvalId, ...row } of records.registrations) {
    yield line({ kind: 'registration', mailboxId, workflowId, role, approvalId, ...dates(row) });
  }
  for (const { mailboxId, groupId, part, approvalId, ...row } of records.memberships) {
    yield line({ kind: 'membership', mailboxId, groupId, part, approvalId, ...dates(row) });
  }
  for (const rule of records.rules) yield line({ kind: 'rule', ...ruleMembers(rule) });
  for (const { fingerprint, serial, subject, mailboxId, revokedAtMs } of records.certificates) {
    const revokedAt = revokedAtMs === null ? null : date(revokedAtMs);
    yield line({ kind: 'certificate', fingerprint, serial, subject, mailboxId, revokedAt });
  }
}
