import type { AuditEntry, ChainedAuditEntry } from '../../ledger/audit.ts';
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

export function* readAudit(query: { fromEntryNo: number; limit: number }): Talk<readonly ChainedAuditEntry[]> {
  return yield* all(q.readAudit, query.fromEntryNo, query.limit);
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
  const range = [
    query.sinceMs ?? 0,
    query.untilMs ?? Number.MAX_SAFE_INTEGER,
    query.reason ?? null,
    query.limit,
  ] as const;
  if (query.mailbox !== undefined) return yield* all(q.searchRefusalsByMailbox, ...range, query.mailbox);
  if (query.certificateSerial !== undefined)
    return yield* all(q.searchRefusalsByCertificate, ...range, query.certificateSerial);
  if (query.address !== undefined) return yield* all(q.searchRefusalsByAddress, ...range, query.address);
  return yield* all(q.searchRefusals, ...range);
}
