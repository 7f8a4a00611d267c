import { asks, tells } from '../question.ts';

export const insertRefusal = tells(
  'insert-refusal',
  `insert into refusal (refusal_id, at_ms, reason, detail, mailbox_id, operation, status, address, certificate_serial,
     correlation_id, count)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
   on conflict (refusal_id) do nothing`,
);

export interface RefusalRow {
  refusalId: string;
  atMs: number;
  reason: string;
  detail: string;
  mailbox: string | null;
  operation: string | null;
  status: number | null;
  address: string | null;
  certificateSerial: string | null;
  correlationId: string | null;
  count: number;
}

const refusal = `select refusal_id as "refusalId", at_ms as "atMs", reason, detail, mailbox_id as mailbox, operation,
     status, address, certificate_serial as "certificateSerial", correlation_id as "correlationId", count
   from refusal`;

const inRange = 'at_ms >= $1 and at_ms < $2 and ($3 is null or reason = $3)';
const newestFirst = 'order by at_ms desc limit $4 + 0';
const ofMailbox = '($5 is null or mailbox_id = $5)';
const ofCertificate = '($6 is null or certificate_serial = $6)';
const ofAddress = '($7 is null or address = $7)';

/**
 * $1 to $2 is the time range, $3 the reason, $4 the limit; then mailbox, certificate serial and address. What is null is
 * not asked for. The variants say the same thing; each is led by the index of the key it is named for.
 */
export const searchRefusals = asks<RefusalRow>('search-refusals', `${refusal} where ${inRange} ${newestFirst}`);
export const searchRefusalsByMailbox = asks<RefusalRow>(
  'search-refusals-by-mailbox',
  `${refusal} where mailbox_id = $5 and ${inRange} and ${ofCertificate} and ${ofAddress} ${newestFirst}`,
);
export const searchRefusalsByCertificate = asks<RefusalRow>(
  'search-refusals-by-certificate',
  `${refusal} where certificate_serial = $6 and ${inRange} and ${ofMailbox} and ${ofAddress} ${newestFirst}`,
);
export const searchRefusalsByAddress = asks<RefusalRow>(
  'search-refusals-by-address',
  `${refusal} where address = $7 and ${inRange} and ${ofMailbox} and ${ofCertificate} ${newestFirst}`,
);

export interface AuditRow {
  entryNo: number;
  atMs: number;
  actor: string;
  action: string;
  subject: string;
  detail: string;
  hash: string;
}

const audit = 'select entry_no as "entryNo", at_ms as "atMs", actor, action, subject, detail, hash from audit';

export const lastAudit = asks<AuditRow>('last-audit', `${audit} where entry_no = (select max(entry_no) from audit)`);
export const readAudit = asks<AuditRow>('read-audit', `${audit} where entry_no >= $1 order by entry_no limit $2 + 0`);
export const readAuditBack = asks<AuditRow>(
  'read-audit-back',
  `${audit} where entry_no <= $1 order by entry_no desc limit $2 + 0`,
);
export const insertAudit = tells(
  'insert-audit',
  `insert into audit (entry_no, at_ms, actor, action, subject, detail, hash) values ($1, $2, $3, $4, $5, $6, $7)`,
);
