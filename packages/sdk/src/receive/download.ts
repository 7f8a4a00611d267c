import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { MessageId } from '@openmesh/protocol';
import { clientError } from '../errors/client-errors.ts';
import type { CallOptions } from '../options.ts';
import { type OnProgress, ProgressMeter } from '../progress.ts';
import { withRetries } from '../retry.ts';
import type { Session } from '../session.ts';
import { type ChunkDownload, type DownloadTransfer, requestChunk } from './chunk-download.ts';
import type { ChunkEnd } from './download-state.ts';
import type { MessageMetadata } from './message-metadata.ts';

export interface DownloadOptions extends CallOptions {
  /** `as-stored` when absent: the least work for both ends. */
  readonly transfer?: DownloadTransfer | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/**
 * A message on its way. Iterate it for its content, in blocks, chunk after chunk; a chunk whose connection breaks is
 * asked for again and continues where it broke off. Read it once, or cancel it.
 */
export interface Download extends AsyncIterable<Buffer> {
  readonly metadata: MessageMetadata;
  /** True when every byte of the content has been handed out; at once for a report. */
  readonly isRead: boolean;
  /** The same content as a stream. */
  stream(): Readable;
  /** Ends the request, read or not. */
  cancel(): void;
}

export interface DownloadHooks {
  /** Called, and waited for, when the last block of a chunk was taken. */
  readonly onChunk?: (end: ChunkEnd) => Promise<void>;
  /** What was fetched before: where to go on. */
  readonly from?: { readonly chunk: number; readonly bytes: number };
}

/** Asks for the first chunk that is wanted and answers when its headers are there. */
export async function download(
  session: Session,
  messageId: MessageId,
  options: DownloadOptions,
  hooks: DownloadHooks = {},
): Promise<Download> {
  const from = hooks.from ?? { chunk: 1, bytes: 0 };
  const ask = (chunk: number): Promise<ChunkDownload> =>
    withRetries(session, { operation: 'download', isRepeatable: true, signal: options.signal }, () =>
      requestChunk(session, { messageId, chunk, transfer: options.transfer ?? 'as-stored', signal: options.signal }),
    );
  const first = await ask(from.chunk);
  return new MessageDownload({ session, options, hooks, from, ask, first });
}

interface DownloadParts {
  readonly session: Session;
  readonly options: DownloadOptions;
  readonly hooks: DownloadHooks;
  readonly from: { readonly chunk: number; readonly bytes: number };
  readonly ask: (chunk: number) => Promise<ChunkDownload>;
  readonly first: ChunkDownload;
}

class MessageDownload implements Download {
  readonly metadata: MessageMetadata;
  readonly #parts: DownloadParts;
  readonly #meter: ProgressMeter;
  #current: ChunkDownload | undefined;
  #isTaken = false;
  #isRead = false;
  #bytes: number;

  constructor(parts: DownloadParts) {
    const { session, options, from, first } = parts;
    this.#parts = parts;
    this.metadata = first.metadata;
    this.#current = first;
    this.#bytes = from.bytes;
    const { totalChunks, type } = first.metadata;
    this.#meter = new ProgressMeter(
      {
        direction: 'down',
        bytesTotal: totalChunks === 1 ? first.contentLength : undefined,
        chunksTotal: totalChunks,
        everyMs: session.limits.progressMs,
        nowMs: session.surroundings.nowMs,
        onProgress: options.onProgress,
      },
      from.bytes,
      from.chunk - 1,
    );
    if (type === 'REPORT') {
      this.#isRead = true;
    }
  }

  get isRead(): boolean {
    return this.#isRead;
  }

  stream(): Readable {
    return Readable.from(this, { objectMode: false });
  }

  cancel(): void {
    this.#isTaken = true;
    this.#current?.cancel();
    this.#current = undefined;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    if (this.#isTaken) {
      const detail = 'a download can be read once; it was read or cancelled';
      throw clientError('invalid-option', 'download', { detail, messageId: this.metadata.messageId });
    }
    this.#isTaken = true;
    const { from, hooks } = this.#parts;
    try {
      const chunks = Math.max(1, this.metadata.totalChunks);
      for (let chunk = from.chunk; chunk <= chunks; chunk += 1) {
        const end = yield* this.#chunk(chunk);
        await hooks.onChunk?.(end);
        this.#meter.chunkDone();
      }
      this.#isRead = true;
    } finally {
      this.#current?.cancel();
      this.#current = undefined;
    }
  }

  /** One chunk, however often its connection breaks; what was handed out is skipped and must come out the same. */
  async *#chunk(chunk: number): AsyncGenerator<Buffer, ChunkEnd, undefined> {
    const { session, options, ask } = this.#parts;
    const handedOut = createHash('sha256');
    let bytes = 0;
    let failure: unknown;
    // Breaking off again and again counts only while nothing new comes.
    for (let breaks = 0; breaks < session.policy.attempts; ) {
      const before = bytes;
      try {
        if (failure !== undefined) await this.#pause(breaks, failure);
        const current = this.#current ?? (await ask(chunk));
        this.#current = current;
        if (current.metadata.totalChunks !== this.metadata.totalChunks) this.#contradiction();
        for await (const block of skipping(current, bytes, handedOut.copy().digest('hex'))) {
          handedOut.update(block);
          bytes += block.length;
          this.#count(block.length);
          yield block;
        }
        this.#current = undefined;
        return { chunk, bytes, sha256: handedOut.digest('hex') };
      } catch (error) {
        this.#current?.cancel();
        this.#current = undefined;
        if (!isWorthRepeating(error) || options.signal?.aborted === true) throw error;
        breaks = bytes > before ? 1 : breaks + 1;
        failure = error;
      }
    }
    throw failure;
  }

  /** The pause before asking again, as the policy has it. */
  async #pause(breaks: number, failure: unknown): Promise<void> {
    const { session, options } = this.#parts;
    let isFirst = true;
    const { policy } = session;
    const waiting = {
      ...session,
      policy: { ...policy, firstDelayMs: policy.firstDelayMs * 2 ** (breaks - 1), attempts: 2 },
    };
    await withRetries(waiting, { operation: 'download', isRepeatable: true, signal: options.signal }, () => {
      if (!isFirst) return Promise.resolve();
      isFirst = false;
      return Promise.reject(failure instanceof Error ? failure : new Error('the download broke off'));
    });
  }

  #count(bytes: number): void {
    const { downloadBytes } = this.#parts.session.limits;
    this.#bytes += bytes;
    this.#meter.moved(bytes);
    if (this.#bytes > downloadBytes) {
      const detail = `the limit downloadBytes is ${downloadBytes}`;
      throw clientError('answer-too-large', 'download', { detail, messageId: this.metadata.messageId });
    }
  }

  #contradiction(): never {
    const detail = 'its chunks disagree on how many there are';
    throw clientError('unexpected-answer', 'download', { detail, messageId: this.metadata.messageId });
  }
}

/** The blocks of a chunk behind its first `bytes`, which must have the digest of what was handed out before. */
async function* skipping(chunk: ChunkDownload, bytes: number, sha256: string): AsyncGenerator<Buffer, void, undefined> {
  const skipped = createHash('sha256');
  let left = bytes;
  for await (const block of chunk.blocks()) {
    const skip = Math.min(left, block.length);
    if (skip > 0) {
      skipped.update(block.subarray(0, skip));
      left -= skip;
      if (left === 0 && skipped.digest('hex') !== sha256) changed(chunk);
    }
    if (skip < block.length) yield skip === 0 ? block : block.subarray(skip);
  }
  if (left > 0) changed(chunk);
}

function changed({ metadata }: ChunkDownload): never {
  const detail = 'asked for again, the chunk is another one';
  throw clientError('unexpected-answer', 'download', { detail, messageId: metadata.messageId });
}

function isWorthRepeating(error: unknown): boolean {
  return error instanceof Error && 'class' in error && (error.class === 'transient' || error.class === 'ambiguous');
}
