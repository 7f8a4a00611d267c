import type { LedgerFaultKind } from '../../ledger.ts';
import type { Envelope } from './envelope.ts';

/** One command on its way to the thread. */
export interface BatchItem {
  readonly name: string;
  readonly args: readonly unknown[];
}

export type BatchAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly kind: LedgerFaultKind; readonly message: string };

export interface BatchReply {
  readonly answers: Envelope;
  /** Time the batch took in the thread, commit included, in milliseconds. */
  readonly tookMs: number;
  /** The engine can no longer be trusted: nothing more will be answered. */
  readonly broken: boolean;
}

export interface ThreadSettings {
  readonly path: string;
  readonly role: 'writer' | 'reader';
  readonly cacheMebibytes: number;
  readonly lockTimeoutMs: number;
}

const sqliteBusy = 5;
const sqliteLocked = 6;
const sqliteFull = 13;
const sqliteNoMemory = 7;
const sqliteIoError = 10;
const sqliteCorrupt = 11;
const sqliteNotADatabase = 26;
/** An I/O error: the index of the log could not be made larger. */
const sqliteIndexCannotGrow = sqliteIoError | (19 << 8);

/** What an engine's error means for the command that met it; see `LedgerFaultKind`. */
export function classifyEngineError(error: unknown): LedgerFaultKind {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  if (typeof code !== 'number') return 'defect';
  // The primary code is the low byte of an extended one.
  switch (code & 0xff) {
    case sqliteFull:
      return 'full';
    case sqliteBusy:
    case sqliteLocked:
    case sqliteNoMemory:
      return 'unavailable';
    case sqliteIoError:
    case sqliteCorrupt:
    case sqliteNotADatabase:
      return 'broken';
    default:
      return 'defect';
  }
}

/**
 * What it means before anything was written by this process: an index that cannot grow says no more than that there is
 * no room. Later it may come after the commit that it was for had reached the log.
 */
export function classifyOpening(error: unknown): LedgerFaultKind {
  if ((error as { errcode?: unknown } | null)?.errcode === sqliteIndexCannotGrow) return 'full';
  return classifyEngineError(error);
}
