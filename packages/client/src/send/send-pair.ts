import { join } from 'node:path';
import type { ControlFile } from '../control-file/control-file.ts';
import { type Verdict, verdicts } from '../control-file/outcomes.ts';
import type { MailboxParts } from '../mailbox/mailbox-parts.ts';
import { failPair, type PairAtHand, type PairResult } from './fail-pair.ts';
import { isOrder, judgePair } from './judge-pair.ts';
import { judgeSize } from './judge-size.ts';
import { DataChanged, dataSource } from './pair-payload.ts';
import type { PairContents } from './read-ahead.ts';
import { Sending } from './sending.ts';

/** Sends one pair and files it, or leaves it where it lies. What is done at each step is in the journal before it is done. */
export async function sendPair(
  parts: MailboxParts,
  { pair, entry }: PairAtHand,
  contents: PairContents,
  signal: AbortSignal,
): Promise<PairResult> {
  const { tree, config } = parts;
  const { control } = contents;
  // It is looked at again, as it is then.
  if (control === 'changed') return { kind: 'left' };
  if (config.strictServerRetry && entry?.state === 'waiting' && entry.failedCycles >= config.serverRetry) {
    return refuse(parts, { pair, entry }, verdicts.retriesUsedUp, control);
  }
  if (pair.dataName === undefined || pair.data === undefined) {
    return refuse(parts, { pair, entry }, verdicts.dataMissing, undefined);
  }
  if (control === undefined) {
    if (pair.unchangedMs < config.controlGraceMs) return { kind: 'left' };
    return refuse(parts, { pair, entry }, verdicts.controlUnreadable, undefined);
  }
  const order = judgePair(control, pair.dataName, {
    mailbox: parts.mailbox.id,
    compressByDefault: config.compressByDefault,
    chunkingByDefault: config.chunkingByDefault,
  });
  if (!isOrder(order)) return refuse(parts, { pair, entry }, order, control);
  const source = contents.data ?? dataSource(join(tree.out, pair.dataName), pair.data.print);
  try {
    const refused = await judgeSize(parts, order, pair.data.sizeBytes, source);
    if (refused !== undefined) return refuse(parts, { pair, entry }, refused, control);
    return await new Sending(parts, { pair, control, order, source, sizeBytes: pair.data.sizeBytes, signal }).run(
      entry,
    );
  } catch (error) {
    if (!(error instanceof DataChanged)) throw error;
    // What nobody may read stays so until somebody is told.
    if (!error.isUnreadable || pair.unchangedMs < config.pairTimeoutMs) return { kind: 'left' };
    const begun = parts.journal.open(parts.mailbox.id).find(({ base }) => base === pair.base);
    return refuse(parts, { pair, entry: begun }, verdicts.dataMissing, control);
  }
}

/** What the client itself finds wrong: unlike the words of a service, its own name nothing that was written. */
function refuse(
  parts: MailboxParts,
  atHand: PairAtHand,
  verdict: Verdict,
  control: ControlFile | undefined,
): PairResult {
  const { log, mailbox } = parts;
  const failed = failPair(parts, atHand, verdict, control);
  const { pair } = failed.filing.entry;
  log({
    level: 'warn',
    event: 'pair-refused',
    component: 'SendFilesService',
    mailbox: mailbox.id,
    text: `Pair ${pair} cannot be sent (${verdict.event}/${verdict.statusCode}: ${verdict.description}), and goes to FAILED; "openmesh-client validate" says more of a control file`,
    fields: { pair, code: verdict.statusCode },
  });
  return failed;
}
