import { closeSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Ledger, LedgerFileLost } from '../../ledger.ts';
import { unfitByProfile } from '../../ledger-problem.ts';
import type { Caller, ReadingCommands, WritingCommands } from '../commands/table.ts';
import { ledgerOver } from '../ledger-over.ts';
import { makeFolderDurable, withRoom } from './durable-folder.ts';
import { type FilePlace, watchFilePlace } from './file-place.ts';
import { type LedgerThread, startThread, type ThreadOptions } from './thread.ts';

export interface SqliteLedgerOptions
  extends Pick<ThreadOptions, 'path' | 'cacheMebibytes' | 'queueMax' | 'companions' | 'onBatch' | 'onBroken'> {
  /** A ledger remembers the profile it was made for and refuses to be opened by the other. */
  readonly profile: 'live' | 'sandbox';
  /** The file is no longer where it was opened, or is there again. Noticed when the registry's version is asked for. */
  readonly onFileLost?: (isLost: boolean) => void;
}

const lockTimeoutMs = 10_000;
const batchMax = 256;

/** Opens the embedded ledger: one writer thread and one reader thread over the same file. */
export async function openSqliteLedger(options: SqliteLedgerOptions): Promise<Ledger> {
  const { path, cacheMebibytes, queueMax, onBroken } = options;
  makeFolderDurable(dirname(resolve(path)));
  makePrivate(path);
  const thread = { path, cacheMebibytes, lockTimeoutMs, queueMax, batchMax, onBroken };
  const { onBatch, companions } = options;
  const watched = { ...(onBatch && { onBatch }), ...(companions && { companions }) };
  const writer = await startThread<WritingCommands>({ ...thread, ...watched, role: 'writer' });
  const reader = await openBeside(writer, options, () => startThread<ReadingCommands>({ ...thread, role: 'reader' }));
  const place = watchFilePlace(path, (isLost) => options.onFileLost?.(isLost));
  return ledgerOver({
    ...placed(place, writer.call, reader.call),
    waiting: () => writer.waiting() + reader.waiting(),
    async close() {
      await reader.close();
      await writer.close();
    },
  });
}

/** What is written while the file is lost is refused, and left no trace. A running exchange asks for the version every second. */
function placed(place: FilePlace, write: Caller<WritingCommands>, read: Caller<ReadingCommands>) {
  const writing: Caller<WritingCommands> = (name, ...args) =>
    place.isLost ? Promise.reject(new LedgerFileLost()) : write(name, ...args);
  const reading: Caller<ReadingCommands> = (name, ...args) => {
    if (name === 'version') place.look();
    return read(name, ...args);
  };
  return { write: writing, read: reading };
}

/** The reader, once the profile is known to be right; what stands in the way of either lets go of the writer. */
async function openBeside<R>(
  writer: LedgerThread<WritingCommands>,
  { profile }: SqliteLedgerOptions,
  startReader: () => Promise<R>,
): Promise<R> {
  try {
    const made = await writer.call('claimMeta', 'profile', profile);
    if (made !== profile) throw unfitByProfile(made, profile);
    return await startReader();
  } catch (error) {
    await writer.close();
    throw error;
  }
}

/** Small bodies lie in the ledger: a new one is its owner's alone. SQLite gives the log and its index the same mode. */
function makePrivate(path: string): void {
  closeSync(withRoom(() => openSync(path, 'a', 0o600)));
}
