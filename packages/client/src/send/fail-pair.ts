import type { ControlFile } from '../control-file/control-file.ts';
import type { Verdict } from '../control-file/outcomes.ts';
import type { OutgoingEntry } from '../journal/journal.ts';
import type { MailboxParts } from '../mailbox/mailbox-parts.ts';
import { reached, steps } from '../steps.ts';
import type { Filing } from './file-pair.ts';
import type { PairSeen } from './out-folder.ts';
import type { ServiceFault } from './service-fault.ts';

/** It cannot be sent, and is to be filed as one that was sent is. */
export interface FailedPair {
  readonly kind: 'failed';
  readonly code: string;
  readonly filing: Filing;
}

/** What became of one look at a pair. */
export type PairResult =
  /** The service has it; filing it is still to be done, and may be while the next pair is sent. */
  | { readonly kind: 'sent'; readonly bytes: number; readonly filing: Filing }
  | FailedPair
  /** It stays in OUT for a reason of its own: half written, changed, or held in doubt. */
  | { readonly kind: 'left' }
  /** It stays in OUT because of the service, and so does whatever follows it. */
  | { readonly kind: 'fault'; readonly fault: ServiceFault };

/** A pair ready to be sent, and its entry where it was tried before. */
export interface PairAtHand {
  readonly pair: PairSeen;
  readonly entry: OutgoingEntry | undefined;
}

/** Decides that a pair cannot be sent: filing it puts it into FAILED, with one report. */
export function failPair(
  parts: MailboxParts,
  { pair, entry }: PairAtHand,
  verdict: Verdict,
  control: ControlFile | undefined,
): FailedPair {
  const outcome = { ...verdict, atMs: parts.nowMs() };
  const refused =
    entry === undefined
      ? beginEntry(parts, pair, { state: 'refused', localId: null, outcome })
      : parts.journal.change(entry.pair, { state: 'refused', outcome, changedMs: outcome.atMs });
  reached(steps.outDecided);
  return { kind: 'failed', code: verdict.statusCode, filing: { entry: refused, control, gzip: false } };
}

/** The first entry of a pair in the journal. */
export function beginEntry(
  { journal, mailbox, nowMs, newKey }: MailboxParts,
  pair: PairSeen,
  more: Pick<OutgoingEntry, 'state' | 'localId' | 'outcome'>,
): OutgoingEntry {
  return journal.begin({
    mailbox: mailbox.id,
    base: pair.base,
    controlName: pair.controlName,
    dataName: pair.dataName ?? null,
    controlPrint: pair.control.print,
    dataPrint: pair.data?.print ?? null,
    key: newKey(),
    changedMs: nowMs(),
    ...more,
  });
}
