import type { BodyRef } from './bodies.ts';
import type { WrappedKey } from './ledger/messages.ts';

/** What opens an encrypted body, and so can tell whether its bytes are those that were stored. */
export interface SealedBody {
  readonly payloadId: string;
  readonly chunkNumber: number;
  readonly wrapped: WrappedKey;
  /** The text that the payload's key opens; see `PayloadKey.openBodyKey`. */
  readonly seal: string;
}

/** A body that a row names: what a copy of the ledger needs beside it. */
export interface NamedBody {
  readonly ref: BodyRef;
  readonly sizeBytes: number;
  /** SHA-256 of the bytes as they lie, lower-case hex; '' where the row keeps none, as of an encrypted body. */
  readonly sha256: string;
  /** Of an encrypted body; null of another. */
  readonly sealed: SealedBody | null;
  /** From when on it may be deleted, milliseconds since 1970. */
  readonly keepUntilMs: number;
}

export type LedgerEngine = 'sqlite' | 'postgres';

/** The whole record book as it was at one moment, whatever is written meanwhile. */
export interface LedgerSnapshot {
  readonly engine: LedgerEngine;
  /** Every body that is not deleted, in the order of the bytes of its ref. */
  bodies(): AsyncIterable<NamedBody>;
  /** Whether the ledger as it is now names the body still: a chunk of an open upload may have come again since. */
  isNamedNow(ref: BodyRef): Promise<boolean>;
  /** An image from which the same engine makes the ledger again. A piece is good until the next is asked for. */
  pieces(): AsyncIterable<Uint8Array>;
  /** Takes away what the snapshot needed. */
  close(): Promise<void>;
}

/** There is something already where a ledger was to be made, or what was to make it is not there or failed. */
export class LedgerCopyProblem extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'LedgerCopyProblem';
  }
}
