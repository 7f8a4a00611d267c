import { join } from 'node:path';
import type { ControlFile } from '../control-file/control-file.ts';
import { bareFile, reportCopy, settledCopy, statusOf } from '../control-file/copies.ts';
import { type Verdict, verdicts } from '../control-file/outcomes.ts';
import { writeControlFile } from '../control-file/write-control-file.ts';
import { syncFolder, writeFlushed } from '../folders/durable.ts';
import { isTaken } from '../folders/file-print.ts';
import { freeReportName, stamp } from '../folders/names.ts';
import { allOf, makeMoves, putAside, type StagedMove } from '../folders/staged-moves.ts';
import type { Outcome, OutgoingEntry } from '../journal/journal.ts';
import type { MailboxParts } from '../mailbox/mailbox-parts.ts';
import { reached, steps } from '../steps.ts';

export interface Filing {
  readonly entry: OutgoingEntry;
  /** Undefined where the control file could not be read. */
  readonly control: ControlFile | undefined;
  readonly gzip: boolean;
}

/**
 * Files pairs whose outcomes are in the journal: builds what is new in TEMP, flushes it, writes the lists of moves into the
 * journal, makes the moves, and settles. Called again after a crash it does what is left. Several together share one
 * flush of each folder and one commit.
 */
export async function filePairs(parts: MailboxParts, filings: readonly Filing[]): Promise<void> {
  const staged = await allOf(filings.map((filing) => stage(parts, filing)));
  await syncFolder(parts.tree.staging);
  reached(steps.outStaged);
  const listed = parts.journal.listMoves(staged, parts.nowMs());
  reached(steps.outFiling);
  await finishFilings(parts, listed);
}

/** Makes the moves of the journal, each unless it was made, and settles. */
export async function finishFilings(parts: MailboxParts, entries: readonly OutgoingEntry[]): Promise<void> {
  const lists = entries.map(({ moves }) => moves ?? []);
  await makeMoves(parts.tree, lists, () => reached(steps.outMoved));
  reached(steps.outFiled);
  for (const { pair } of entries) parts.journal.settle(pair, parts.nowMs());
  for (const move of lists.flat()) if (move.kind === 'place') reservedNames(parts).delete(move.name);
}

async function stage(
  parts: MailboxParts,
  filing: Filing,
): Promise<Pick<OutgoingEntry, 'pair'> & { moves: readonly StagedMove[] }> {
  const { pair, outcome } = filing.entry;
  if (outcome === null) throw new Error(`pair ${pair} is to be filed without an outcome`);
  return { pair, moves: await new Stager(parts, filing, outcome).stage() };
}

/** Writes one report about a pair that stays in OUT, such as of a delay. At most once: the journal says so first. */
export async function reportDelay(parts: MailboxParts, filing: Filing): Promise<void> {
  const { entry, control } = filing;
  parts.journal.change(entry.pair, { delayReported: true, changedMs: parts.nowMs() });
  const status = statusOf(verdicts.delayed, parts.nowMs(), parts.rules);
  const facts = { mailbox: parts.mailbox.id, messageId: undefined, gzip: false };
  await placeReport(
    parts,
    entry.base,
    reportCopy(control ?? bareFile(parts.mailbox.id), facts, status),
    `d${entry.pair}`,
  );
}

type ReportParts = Pick<MailboxParts, 'tree' | 'lineEnd'>;

/** Puts a report into IN at once. */
export async function placeReport(parts: ReportParts, base: string, report: ControlFile, id: string): Promise<void> {
  const staged = stagedName(parts, id);
  await writeFlushed(join(parts.tree.staging, staged), writeControlFile(report, parts.lineEnd));
  const name = await reserveReportName(parts, base);
  await makeMoves(parts.tree, [[{ kind: 'place', staged, folder: 'in', name }]]);
  reservedNames(parts).delete(name);
}

/** Name of a file in the staging folder; where that is IN itself, one that no reader takes for a message. */
export function stagedName({ tree }: Pick<MailboxParts, 'tree'>, id: string): string {
  return tree.stagesInTemp ? id : `.openmesh-${id}.tmp`;
}

/** Names promised to reports that are not in IN yet. */
const reservedByRoot = new Map<string, Set<string>>();

function reservedNames({ tree }: ReportParts): Set<string> {
  const names = reservedByRoot.get(tree.root) ?? new Set<string>();
  reservedByRoot.set(tree.root, names);
  return names;
}

/** Reserved before the folder is looked at: two reports of one name may be on their way at the same time. */
async function reserveReportName(parts: ReportParts, base: string): Promise<string> {
  const reserved = reservedNames(parts);
  return await freeReportName(base, async (name) => {
    if (reserved.has(name)) return true;
    reserved.add(name);
    const isThere = await isTaken(join(parts.tree.in, name));
    if (isThere) reserved.delete(name);
    return isThere;
  });
}

class Stager {
  readonly #parts: MailboxParts;
  readonly #filing: Filing;
  readonly #outcome: Outcome;
  readonly #moves: StagedMove[] = [];

  constructor(parts: MailboxParts, filing: Filing, outcome: Outcome) {
    this.#parts = parts;
    this.#filing = filing;
    this.#outcome = outcome;
  }

  /** Builds the files, flushed but for their names, and answers the moves. */
  async stage(): Promise<readonly StagedMove[]> {
    const isSent = this.#outcome.status === 'SUCCESS';
    if (isSent) await this.#stageSent();
    else await this.#stageFailed();
    return this.#moves;
  }

  async #stageSent(): Promise<void> {
    const { mailbox } = this.#parts;
    if (mailbox.saveSent) await this.#movePair('sent', true);
    else this.#dropPair();
    if (mailbox.collectReport) await this.#report(verdicts.collected, 'c');
    if (mailbox.transferReport) await this.#report(verdicts.transferred, 't');
  }

  async #stageFailed(): Promise<void> {
    await this.#movePair('failed', this.#parts.config.rewriteFailed && this.#filing.control !== undefined);
    await this.#report(this.#outcome, 'r');
  }

  /** Data first: whoever waits for the control file finds both. */
  async #movePair(folder: 'sent' | 'failed', rewrite: boolean): Promise<void> {
    const { entry, control } = this.#filing;
    const { tree, lineEnd, rules } = this.#parts;
    const { controlName, controlPrint, dataName, dataPrint } = entry;
    const suffix = stamp(this.#outcome.atMs);
    if (dataName !== null && dataPrint !== null) {
      await putAside(tree[folder], dataName, suffix);
      this.#moves.push({ kind: 'carry', name: dataName, print: dataPrint, folder });
    }
    await putAside(tree[folder], controlName, suffix);
    if (!rewrite || control === undefined) {
      this.#moves.push({ kind: 'carry', name: controlName, print: controlPrint, folder });
      return;
    }
    const copy = settledCopy(control, this.#facts(), statusOf(this.#outcome, this.#outcome.atMs, rules), rules);
    const staged = stagedName(this.#parts, `p${entry.pair}`);
    await writeFlushed(join(tree.staging, staged), writeControlFile(copy, lineEnd));
    this.#moves.push(
      { kind: 'place', staged, folder, name: controlName },
      { kind: 'drop', name: controlName, print: controlPrint },
    );
  }

  #dropPair(): void {
    const { controlName, controlPrint, dataName, dataPrint } = this.#filing.entry;
    if (dataName !== null && dataPrint !== null) this.#moves.push({ kind: 'drop', name: dataName, print: dataPrint });
    this.#moves.push({ kind: 'drop', name: controlName, print: controlPrint });
  }

  async #report(verdict: Verdict | Outcome, letter: string): Promise<void> {
    const { entry, control } = this.#filing;
    const { tree, mailbox, rules, lineEnd } = this.#parts;
    const status = statusOf(verdict, this.#outcome.atMs, rules);
    const report = reportCopy(control ?? bareFile(mailbox.id, entry.localId), this.#facts(), status);
    const staged = stagedName(this.#parts, `${letter}${entry.pair}`);
    await writeFlushed(join(tree.staging, staged), writeControlFile(report, lineEnd));
    this.#moves.push({ kind: 'place', staged, folder: 'in', name: await reserveReportName(this.#parts, entry.base) });
  }

  #facts() {
    const { entry, gzip } = this.#filing;
    return { mailbox: this.#parts.mailbox.id, messageId: entry.messageId ?? undefined, gzip };
  }
}
