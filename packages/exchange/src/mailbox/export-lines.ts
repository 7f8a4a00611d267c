import type { RegistryRecords } from '../store/ledger/registry.ts';
import { fileVersion, headerKind } from './import/entry.ts';

function date(ms: number): string {
  return new Date(ms).toISOString();
}

/** Dates that say nothing are left out: valid from the beginning, and without an end. */
function dates({ validFromMs, validToMs }: { readonly validFromMs: number; readonly validToMs: number | null }) {
  return {
    ...(validFromMs === 0 ? {} : { validFrom: date(validFromMs) }),
    ...(validToMs === null ? {} : { validTo: date(validToMs) }),
  };
}

function line(object: object): string {
  return `${JSON.stringify(object)}\n`;
}

/**
 * The whole registry as the lines of an import, each with its line feed: a header, then mailboxes, workflows, sealed
 * credentials, registrations and certificates. Importing them where the same secret key is held changes nothing.
 */
export function* exportLines(records: RegistryRecords): Generator<string> {
  yield line({ kind: headerKind, version: fileVersion });
  for (const row of records.mailboxes) yield line({ kind: 'mailbox', ...row });
  for (const row of records.workflows) yield line({ kind: 'workflow', ...row });
  for (const { mailboxId, credentialId, sealed, ...row } of records.credentials) {
    yield line({ kind: 'credential', mailboxId, credentialId, sealed, ...dates(row) });
  }
  for (const { mailboxId, workflowId, role, ...row } of records.registrations) {
    yield line({ kind: 'registration', mailboxId, workflowId, role, ...dates(row) });
  }
  for (const { fingerprint, serial, subject, mailboxId, revokedAtMs } of records.certificates) {
    const revokedAt = revokedAtMs === null ? null : date(revokedAtMs);
    yield line({ kind: 'certificate', fingerprint, serial, subject, mailboxId, revokedAt });
  }
}
