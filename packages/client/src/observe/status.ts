import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JournalCounts } from '../journal/journal.ts';
import type { Health } from '../mailbox/health.ts';

/** How one mailbox is doing, for people and monitors. */
export interface MailboxStatus {
  readonly health: Health;
  /** Pairs lying in OUT; undefined while the folder cannot be read. */
  readonly inOut: number | undefined;
  readonly journal: JournalCounts;
}

export interface ClientStatus {
  readonly version: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly writtenAt: string;
  /** True when every mailbox's last turns went well. */
  readonly isHealthy: boolean;
  readonly certificates: readonly CertificateStatus[];
  readonly mailboxes: readonly MailboxStatus[];
}

export interface CertificateStatus {
  /** `client`, or `authority 1`… */
  readonly name: string;
  readonly endsAt: string;
  readonly daysLeft: number;
}

const statusName = 'status.json';
const heartbeatName = 'heartbeat';

/** Whole or not at all, since others read it at any moment. */
export function writeStatus(workPath: string, status: ClientStatus): void {
  const path = statusFileIn(workPath);
  writeFileSync(`${path}.new`, `${JSON.stringify(status, undefined, 2)}\n`);
  renameSync(`${path}.new`, path);
  writeFileSync(join(workPath, heartbeatName), `${status.writtenAt}\n`);
}

export function statusFileIn(workPath: string): string {
  return join(workPath, statusName);
}

/** Bad is bad; what has not been tried yet is not. */
export function isHealthy(mailboxes: readonly MailboxStatus[]): boolean {
  return mailboxes.every(({ health }) => Object.values(health.parts).every(({ state }) => state !== 'bad'));
}
