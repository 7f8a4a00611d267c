import { createHash } from 'node:crypto';
import type { AuditEntry } from './audit.ts';

/** The hash of the entry before the first. */
export const auditRoot = '0'.repeat(64);

/** SHA-256 hex over the previous hash and the entry, each part led by its length so that no two entries read alike. */
export function chainHash(previous: string, entryNo: number, entry: AuditEntry): string {
  const hash = createHash('sha256');
  for (const part of [
    previous,
    String(entryNo),
    String(entry.atMs),
    entry.actor,
    entry.action,
    entry.subject,
    entry.detail,
  ])
    hash.update(`${Buffer.byteLength(part)}:${part}`);
  return hash.digest('hex');
}
