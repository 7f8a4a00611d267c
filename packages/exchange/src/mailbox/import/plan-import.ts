import type { RegistryRecords } from '../../store/ledger/registry.ts';
import type { Sealer } from '../sealer.ts';
import { type Entry, parseEntry } from './entry.ts';
import { EntryProblem } from './member-readers.ts';
import { type ImportPlan, PlanBuilder } from './plan-builder.ts';
import { splitLines } from './split-lines.ts';

export const lineBytesMax = 65_536;
const progressEvery = 10_000;

export interface ImportSource {
  /** NDJSON in UTF-8. */
  readonly blocks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** What the ledger holds now. */
  readonly current: RegistryRecords;
  readonly sealer: Sealer;
  /** Called every 10,000 lines. */
  readonly onProgress?: (lines: number) => void;
}

/**
 * Reads an import and says what it would do; writes nothing. Holds the rows that differ, one key for each line, and one
 * line of text at a time. A password in the clear is sealed before the next line is read.
 */
export async function planImport({ blocks, current, sealer, onProgress }: ImportSource): Promise<ImportPlan> {
  const plan = new PlanBuilder(current, sealer);
  let lines = 0;
  for await (const line of splitLines(blocks, lineBytesMax)) {
    lines = line.number;
    if (line.text === undefined) plan.note(line.number, line.problem);
    else if (line.text.trim() !== '') {
      try {
        const entry = parseEntry(line.text, line.number);
        if (entry !== undefined) plan.add(entry);
      } catch (error) {
        if (!(error instanceof EntryProblem)) throw error;
        plan.note(line.number, error.message);
      }
    }
    if (plan.stopped) break;
    if (lines % progressEvery === 0) onProgress?.(lines);
  }
  return plan.finish(lines);
}

/** The same for entries that come from elsewhere than an import file, such as a sandbox's fixtures. */
export function planEntries(entries: Iterable<Entry>, current: RegistryRecords, sealer: Sealer): ImportPlan {
  const plan = new PlanBuilder(current, sealer);
  let lines = 0;
  for (const entry of entries) {
    lines = Math.max(lines, entry.line);
    plan.add(entry);
    if (plan.stopped) break;
  }
  return plan.finish(lines);
}
