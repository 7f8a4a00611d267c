import { DatabaseSync } from 'node:sqlite';
import { damagedJournal, JournalFault, withJournalFile } from './schema.ts';

/** Why a journal cannot be used, found by reading all of it; undefined when it can. Changes nothing. */
export function examineJournal(file: string): string | undefined {
  try {
    const answer = withJournalFile(() => {
      using database = new DatabaseSync(file, { readOnly: true });
      return Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {})[0];
    });
    return answer === 'ok' ? undefined : damagedJournal;
  } catch (error) {
    if (error instanceof JournalFault) return error.message;
    throw error;
  }
}
