import { readFileSync } from 'node:fs';
import { type Entry, parseEntry } from '../mailbox/import/entry.ts';

const seedFile = new URL('../../seed/workflows.ndjson', import.meta.url);

/** The workflows and groups that are publicly known, each with its source, as lines of an import. */
export function knownWorkflows(): readonly Entry[] {
  const lines = readFileSync(seedFile, 'utf8').split('\n');
  return lines.flatMap((text, index) => {
    const entry = text === '' ? undefined : parseEntry(text, index + 1);
    return entry === undefined ? [] : [entry];
  });
}
