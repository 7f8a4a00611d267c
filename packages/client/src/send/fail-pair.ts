import type { ControlFile } from '../control-file/control-file.ts';
import type { Verdict } from '../control-file/outcomes.ts';
import type { OutgoingEntry } from '../journal/journal.ts';
import type { MailboxParts } from '../mailbox/mailbox-parts.ts';
import { reached, steps } from '../steps.ts';
import { type Filing, filePairs } from './file-pair.ts';
import type { PairSeen } from './out-folder.ts';
import type { ServiceFault } from './service-fault.ts';

/** What became of one look at a pair. */
export type PairResult =
  /** The service has it; filing it is still to be done, and may be while the next pair is sent. */
  | { readonly kind: 'sent'; readonly bytes: number; readonly filing: Filing }
  | { readonly kind: 'failed'; readonly code: string }
  /** It stays in OUT for a reason of its own: half written, changed, or held in doubt. */
  | { readonly kind: 'left' }
  /** It stays in OUT because of the service, and so does whatever follows it. */
  | { readonly kind: 'fault'; readonly fault: ServiceFault };

/** A pair ready to be sent, and its entry where it was tried before. */
export interface PairAtHand {
  readonly pair: PairSeen;
  readonly entry: OutgoingEntry | undefined;
}

/** Puts a pair that cannot be sent into FAILED, with one report. */
export async function failPair(
  parts: MailboxParts,
  { pair, entry }: PairAtHand,
  verdict: Verdict,
  control: ControlFile | undefined,
): Promise<PairResult> {
  const outcome = { ...verdict, atMs: parts.nowMs() };
  const refused =
    entry === undefined
      ? beginEntry(parts, pair, { state: 'refused', localId: null, outcome })
      : parts.journal.change(entry.pair, { state: 'refused', outcome, changedMs: outcome.atMs });
  reached(steps.outDecided);
  await filePairs(parts, [{ entry: refused, control, gzip: false }]);
  return { kind: 'failed', code: verdict.statusCode };
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
