/** Where a body lives: an opaque key of the body store, never a path chosen by a caller. */
export type BodyRef = string & { readonly __brand: 'BodyRef' };

/** Blocks of this size, in bytes, are digested or encrypted one by one; the last block of a body may be shorter. */
export const digestBlockBytes = 4 * 1024 * 1024;

/** What is known of a body's bytes once they are durable. Digests are SHA-256 in lower-case hex, of the plain bytes. */
export interface BodyShape {
  readonly sizeBytes: number;
  readonly sha256: string;
  /**
   * One digest a block of `digestBlockBytes`, concatenated (64 characters each); '' when one block covers the body. Of an
   * encrypted body the tag of each block, and of its only one (32 characters of hex each).
   */
  readonly blockDigests: string;
}

/** 32 bytes that encrypt one body and never another: its blocks are numbered, and a number is used once under a key. */
export type BodyKey = Uint8Array;

export interface DurableBody extends BodyShape {
  readonly ref: BodyRef;
}

/**
 * A body on its way in. Bytes handed over are copied or consumed before `write` settles, so the caller may reuse its
 * buffer. After `finish` resolved the bytes and the name they are found under survive a power cut.
 */
export interface BodySink {
  /** Takes bytes; a returned promise means: wait for it before the next write (back-pressure). Rejects with `BodyFault`. */
  write(bytes: Uint8Array): Promise<void> | undefined;
  /**
   * Flushes file and directory; call it when the last write settled. A failed flush is never retried: the body is
   * discarded and `BodyFault` is thrown.
   */
  finish(): Promise<DurableBody>;
  /** Drops what was written. Never rejects; harmless after `finish` failed. */
  abort(): Promise<void>;
}

/**
 * One verified block. `release` gives its memory back; the bytes must not be touched afterwards, so release only when
 * the socket is done with them. Release a block before asking for the next, which was read ahead meanwhile. A block
 * still held when reading is given up is never reused: its bytes stay what they are, at the price of a fresh buffer.
 */
export interface BodyBlock {
  readonly bytes: Uint8Array;
  release(): void;
}

export type BodyFaultKind =
  /** No space, or the reserve kept for acknowledging and downloading would be touched. */
  | 'disk-full'
  /** As many bodies are being written as the store has room for: try again. */
  | 'busy'
  /** The store did not take or give the bytes: I/O error, short write, failed flush. */
  | 'io'
  /** Bytes at rest are not the bytes that were accepted; `block` names the first wrong block (0-based). */
  | 'corrupt'
  /** The name is unknown to the store. */
  | 'missing';

export class BodyFault extends Error {
  readonly kind: BodyFaultKind;
  readonly block: number | undefined;
  constructor(kind: BodyFaultKind, message: string, options: { cause?: unknown; block?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'BodyFault';
    this.kind = kind;
    this.block = options.block;
  }
}

/** A body nobody may have a row for: candidates for the orphan sweep. */
export interface BodyListing {
  readonly ref: BodyRef;
  /** Machine-clock milliseconds since 1970 when the store first saw the body. */
  readonly createdAtMs: number;
}

/** The body store: what may be asked of where bytes live. Every implementation runs `bodies.contract.ts`. */
export interface Bodies {
  /**
   * Begins a body under a fresh name, encrypted where a key is given: AES-256-GCM for each block, as long as the plain
   * bytes, with the block's number as nonce (`block-cipher.ts`). Throws `BodyFault` 'disk-full' when the reserve would be
   * touched, and 'busy' when as many are open as the store has room for.
   */
  create(key?: BodyKey): Promise<BodySink>;
  /**
   * Yields the body's plain blocks in order, each checked against its digest or tag before anything of it is yielded; reads
   * ahead by one block. While most of the memory is held by consumers, a block comes in pieces. Throws `BodyFault` 'corrupt' instead of yielding a wrong block, and for another key than the body was
   * created with. Memory: two blocks at most.
   */
  read(ref: BodyRef, shape: BodyShape, key?: BodyKey): AsyncIterable<BodyBlock>;
  /**
   * Removes bodies; unknown names are harmless. Resolves when the removals are done (they need not be flushed). One that
   * cannot be removed keeps no other: rejects with the `BodyFault` of the first when all were tried.
   */
  remove(refs: readonly BodyRef[]): Promise<void>;
  /**
   * Every body of the store older than `beforeMs` (machine clock), oldest day first, in bounded steps; also those being
   * written. Tidies away what days without bodies left behind.
   */
  list(beforeMs: number): AsyncIterable<BodyListing>;
  /** Bytes that may still be written before the reserve is touched; Infinity where the store cannot say. */
  freeBytes(): Promise<number>;
  close(): Promise<void>;
}
