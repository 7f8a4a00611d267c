import { bareFile, statusOf } from '../control-file/copies.ts';
import { type Verdict, verdicts } from '../control-file/outcomes.ts';
import { stamp } from '../folders/names.ts';
import { placeReport } from '../send/file-pair.ts';
import { isServerNotTrusted, type ServiceFault } from '../send/service-fault.ts';
import type { Direction } from './health.ts';
import type { MailboxParts } from './mailbox-parts.ts';

const dayMs = 86_400_000;

/** Tells the application of what keeps the whole mailbox from working: one report a day for each kind, at most. */
export async function noticeFault(parts: MailboxParts, direction: Direction, fault: ServiceFault): Promise<void> {
  if (fault.kind !== 'mailbox') return;
  const verdict = verdictOf(direction, isServerNotTrusted(fault));
  const kind = `${verdict.event}-${verdict.statusCode}`;
  if (!parts.journal.claimNotice(parts.mailbox.id, kind, parts.nowMs(), dayMs)) return;
  await place(parts, verdict, kind);
}

/** A RECEIVE report of a poll, where the mailbox wants one for each. */
export async function pollReport(parts: MailboxParts): Promise<void> {
  if (parts.mailbox.pollReport) await place(parts, verdicts.polled, 'poll');
}

function verdictOf(direction: Direction, serverNotTrusted: boolean): Verdict {
  if (direction === 'out') return serverNotTrusted ? verdicts.serverNotTrusted : verdicts.notAuthenticated;
  return serverNotTrusted ? verdicts.pollServerNotTrusted : verdicts.pollNotAuthenticated;
}

async function place(parts: MailboxParts, verdict: Verdict, id: string): Promise<void> {
  const nowMs = parts.nowMs();
  const report = { ...bareFile(parts.mailbox.id), status: statusOf(verdict, nowMs, parts.rules) };
  await placeReport(parts, `POLL_${parts.mailbox.id}_${stamp(nowMs).slice(0, 14)}`, report, id);
}
