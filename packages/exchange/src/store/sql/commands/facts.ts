import type { AuditEntry, AuditQuery, ChainedAuditEntry } from '../../ledger/audit.ts';
import { auditRoot, chainHash } from '../../ledger/audit-chain.ts';
import type { RefusalQuery, RefusalRecord } from '../../ledger/refusals.ts';
import { all, one, run, type Talk } from '../question.ts';
import * as q from '../questions/facts.ts';

export function* appendAudit(entry: AuditEntry): Talk<ChainedAuditEntry> {
  const last = yield* one(q.lastAudit);
  const entryNo = (last?.entryNo ?? 0) + 1;
  const hash = chainHash(last?.hash ?? auditRoot, entryNo, entry);
  yield* run(q.insertAudit, entryNo, entry.atMs, entry.actor, entry.action, entry.subject, entry.detail, hash);
  return { ...entry, entryNo, hash };
}

export function* readAudit({ fromEntryNo, limit, newestFirst }: AuditQuery): Talk<readonly ChainedAuditEntry[]> {
  return yield* all(newestFirst === true ? q.readAuditBack : q.readAudit, fromEntryNo, limit);
}

export function* recordRefusals(refusals: readonly RefusalRecord[]): Talk<void> {
  for (const r of refusals) {
    yield* run(
      q.insertRefusal,
      r.refusalId,
      r.atMs,
      r.reason,
      r.detail,
      r.mailbox,
      r.operation,
      r.status,
      r.address,
      r.certificateSerial,
      r.correlationId,
      r.count,
    );
  }
}

export function* searchRefusals(query: RefusalQuery): Talk<readonly RefusalRecord[]> {
  const { mailbox = null, certificateSerial = null, address = null } = query;
  const range = [query.sinceMs ?? 0, query.untilMs ?? Number.MAX_SAFE_INTEGER, query.reason ?? null] as const;
  const question = refusalsLedBy({ mailbox, certificateSerial, address });
  if (question === q.searchRefusals) return yield* all(question, ...range, query.limit);
  return yield* all(question, ...range, query.limit, mailbox, certificateSerial, address);
}

/** The variant led by the most telling key: a serial and a mailbox belong to few callers, an address may be a proxy's. */
function refusalsLedBy(keys: Record<'mailbox' | 'certificateSerial' | 'address', string | null>) {
  if (keys.mailbox !== null) return q.searchRefusalsByMailbox;
  if (keys.certificateSerial !== null) return q.searchRefusalsByCertificate;
  return keys.address !== null ? q.searchRefusalsByAddress : q.searchRefusals;
}
