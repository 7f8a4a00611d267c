import type { MailboxId } from '@openmesh/protocol';
import type { NonceClaim, NonceUsed } from '../../ledger/nonces.ts';
import type {
  ConnectionFacts,
  RegistryChange,
  RegistryChanged,
  RegistryRecords,
  RegistryTable,
} from '../../ledger/registry.ts';
import { all, one, run, type Talk } from '../question.ts';
import { readRegistryVersion } from '../questions/messages.ts';
import * as q from '../questions/registry.ts';
import { appendAudit } from './facts.ts';
import { noteChange } from './registry-changes.ts';
import { registryTables, tableNames } from './registry-tables.ts';
import { changeWorkflows } from './workflows.ts';
import { claimNonce } from './write-messages.ts';

/** Client versions and machines remembered a mailbox. */
const connectionsMax = 50;

export function* version(): Talk<number> {
  return (yield* one(readRegistryVersion))?.version ?? 0;
}

/** More rows than any table of the registry has. */
const allRows = 1_000_000_000;

export function* load(): Talk<RegistryRecords> {
  const current = yield* version();
  const tables: Partial<Record<RegistryTable, readonly object[]>> = {};
  for (const table of tableNames) {
    tables[table] = yield* registryTables[table].after(null, allRows);
  }
  return { version: current, ...tables } as RegistryRecords;
}

export function* change(wanted: RegistryChange): Talk<RegistryChanged> {
  if (wanted.ifVersion !== undefined) {
    const now = yield* version();
    if (now !== wanted.ifVersion) return { version: now, rowsChanged: 0, stale: true };
  }
  let rowsChanged = 0;
  for (const m of wanted.mailboxes ?? []) {
    const delegated = JSON.stringify(m.delegatedOdsCodes);
    const { mailboxId, name, odsCode, orgCode, orgName, billingEntity, state, certificateMatch } = m;
    const names = [name, odsCode, orgCode, orgName, billingEntity, state, certificateMatch] as const;
    rowsChanged += yield* run(q.putMailbox, mailboxId, ...names, delegated, m.receivesChunked ? 1 : 0);
  }
  for (const c of wanted.credentials ?? []) {
    const { credentialId, mailboxId, kind, sealed, validFromMs, validToMs } = c;
    rowsChanged += yield* run(q.putCredential, credentialId, mailboxId, kind, sealed, validFromMs, validToMs);
  }
  for (const k of wanted.sharedKeys ?? []) {
    rowsChanged += yield* run(q.putSharedKey, k.sharedKeyId, k.sealed, k.validFromMs, k.validToMs);
  }
  rowsChanged += yield* changeWorkflows(wanted);
  for (const c of wanted.certificates ?? []) {
    rowsChanged += yield* run(q.putCertificate, c.fingerprint, c.serial, c.subject, c.mailboxId, c.revokedAtMs);
  }
  if (rowsChanged === 0) return { version: yield* version(), rowsChanged };
  yield* appendAudit(wanted.audit);
  const raised = (yield* one(q.raiseVersion))?.version ?? 0;
  yield* noteChange(raised, wanted);
  return { version: raised, rowsChanged };
}

export function* recordConnection(
  facts: ConnectionFacts,
  nonce: NonceClaim | null,
): Talk<{ readonly kind: 'recorded' } | NonceUsed> {
  const used = yield* claimNonce(nonce);
  if (used !== null) return used;
  const { mailbox, clientVersion, osName, osVersion, osArchitecture, javaVersion, userAgent, atMs } = facts;
  const described = [clientVersion, osName, osVersion, osArchitecture, javaVersion, userAgent] as const;
  yield* run(q.putConnection, mailbox, ...described, atMs);
  yield* run(q.trimConnections, mailbox, connectionsMax);
  return { kind: 'recorded' };
}

export function* connections(query: { mailbox: MailboxId; limit: number }): Talk<readonly ConnectionFacts[]> {
  const rows = yield* all(q.listConnections, query.mailbox, query.limit);
  return rows.map((row) => ({ ...row, mailbox: query.mailbox }));
}
