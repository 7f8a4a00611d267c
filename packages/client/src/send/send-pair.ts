import { join } from 'node:path';
import { verdicts } from '../control-file/outcomes.ts';
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
    return await failPair(parts, { pair, entry }, verdicts.retriesUsedUp, control);
  }
  if (pair.dataName === undefined || pair.data === undefined) {
    return await failPair(parts, { pair, entry }, verdicts.dataMissing, undefined);
  }
  if (control === undefined) {
    if (pair.unchangedMs < config.controlGraceMs) return { kind: 'left' };
    return await failPair(parts, { pair, entry }, verdicts.controlUnreadable, undefined);
  }
  const order = judgePair(control, pair.dataName, {
    mailbox: parts.mailbox.id,
    compressByDefault: config.compressByDefault,
    chunkingByDefault: config.chunkingByDefault,
  });
  if (!isOrder(order)) return await failPair(parts, { pair, entry }, order, control);
  const source = contents.data ?? dataSource(join(tree.out, pair.dataName), pair.data.print);
  try {
    const refused = await judgeSize(parts, order, pair.data.sizeBytes, source);
    if (refused !== undefined) return await failPair(parts, { pair, entry }, refused, control);
    return await new Sending(parts, { pair, control, order, source, sizeBytes: pair.data.sizeBytes, signal }).run(
      entry,
    );
  } catch (error) {
    if (!(error instanceof DataChanged)) throw error;
    // What nobody may read stays so until somebody is told.
    if (!error.isUnreadable || pair.unchangedMs < config.pairTimeoutMs) return { kind: 'left' };
    const begun = parts.journal.open(parts.mailbox.id).find(({ base }) => base === pair.base);
    return await failPair(parts, { pair, entry: begun }, verdicts.dataMissing, control);
  }
}
