import { formatChunkRange, isMessageStatus, isSuccess } from '@openmesh/protocol';
import { clientError } from '../errors/client-errors.ts';
import { MeshError } from '../errors/mesh-error.ts';
import type { Payload } from '../payload/payload.ts';
import type { ProgressMeter } from '../progress.ts';
import { withRetries } from '../retry.ts';
import { askJson, attempt, type Session } from '../session.ts';
import { discardBody } from '../wire/answer.ts';
import { makeChunkBody } from './chunk-body.ts';
import type { SendOptions } from './send.ts';
import type { ChunkDone, UploadState } from './upload-state.ts';

export interface RemainingChunks {
  readonly session: Session;
  readonly payload: Payload;
  readonly state: UploadState;
  readonly options: Pick<SendOptions, 'signal' | 'onState'>;
  readonly meter: ProgressMeter;
  readonly parallel: number;
}

/**
 * Sends what a state says is missing, several at once, each repeated alone; the last chunk when all others are taken,
 * for there are services that deliver on its arrival. A chunk may be sent twice with the same result.
 */
export async function sendRemainingChunks(work: RemainingChunks): Promise<void> {
  const { state, parallel } = work;
  const { totalChunks } = state;
  const isDone = new Set(state.done.map(({ chunk }) => chunk));
  const missing = Array.from({ length: totalChunks - 1 }, (_each, at) => at + 1).filter((chunk) => !isDone.has(chunk));
  const book = new StateBook(work);
  // The first failure ends the others: they would be sent in vain, and the state says where to go on.
  const stop = new AbortController();
  const signal = work.options.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, work.options.signal]);
  const worker = async (): Promise<void> => {
    for (let chunk = missing.shift(); chunk !== undefined; chunk = missing.shift()) {
      await book.note(await sendChunk(work, chunk, signal));
    }
  };
  const workers = Array.from({ length: Math.min(parallel, missing.length) }, () =>
    worker().catch((error: unknown) => {
      stop.abort(error);
      throw error;
    }),
  );
  const results = await Promise.allSettled(workers);
  if (work.options.signal?.aborted === true) {
    throw clientError('aborted', 'send-chunk', { cause: work.options.signal.reason, messageId: state.messageId });
  }
  if (stop.signal.aborted) throw stop.signal.reason;
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  if (!isDone.has(totalChunks)) await book.note(await sendChunk(work, totalChunks, work.options.signal));
}

/** Keeps the state and tells it, one chunk after the other though they end side by side. */
class StateBook {
  readonly #work: RemainingChunks;
  #done: readonly ChunkDone[];
  #told: Promise<void> = Promise.resolve();

  constructor(work: RemainingChunks) {
    this.#work = work;
    this.#done = work.state.done;
  }

  note(chunk: ChunkDone): Promise<void> {
    this.#work.meter.chunkDone();
    this.#told = this.#tell(this.#told, chunk);
    return this.#told;
  }

  async #tell(before: Promise<void>, chunk: ChunkDone): Promise<void> {
    await before;
    this.#done = [...this.#done, chunk];
    await this.#work.options.onState?.({ ...this.#work.state, done: this.#done }, chunk);
  }
}

async function sendChunk(work: RemainingChunks, number: number, signal: AbortSignal | undefined): Promise<ChunkDone> {
  const { session, payload, state, meter } = work;
  const { messageId, chunkBytes, totalChunks, sizeBytes, contentEncoding } = state;
  const range = { start: (number - 1) * chunkBytes, end: Math.min(number * chunkBytes, sizeBytes) };
  const gzip = contentEncoding === 'gzip';
  return withRetries(session, { operation: 'send-chunk', isRepeatable: true, signal }, async () => {
    const chunk = makeChunkBody({ payload, range, gzip, onBytes: (bytes) => meter.moved(bytes) });
    try {
      const answer = await attempt(session, {
        operation: 'send-chunk',
        method: 'POST',
        path: `/outbox/${messageId}/${number}`,
        headers: {
          'content-type': 'application/octet-stream',
          'mex-chunk-range': formatChunkRange(number, totalChunks),
          ...(gzip ? { 'content-encoding': 'gzip' } : {}),
        },
        body: chunk.body,
        carriesChunk: true,
        accepts: [200, 202],
        messageId,
        signal,
      });
      await discardBody(answer, session.limits.jsonBytes);
      return { chunk: number, sha256: chunk.sha256() };
    } catch (error) {
      // The service has every chunk already: the answer to an earlier attempt was lost.
      if (isFinalised(error) && (await hasArrived(session, state, signal))) {
        return { chunk: number, sha256: await digestOf(payload, range, signal) };
      }
      meter.moved(-chunk.bytesRead);
      throw error;
    }
  });
}

function isFinalised(error: unknown): boolean {
  return error instanceof MeshError && error.status === 423;
}

async function hasArrived(session: Session, state: UploadState, signal: AbortSignal | undefined): Promise<boolean> {
  const { messageId } = state;
  const json = await askJson(
    session,
    { isRepeatable: true },
    {
      operation: 'track',
      method: 'GET',
      path: `/outbox/tracking?messageID=${messageId}`,
      accepts: [200],
      messageId,
      signal,
    },
  );
  const status = (json as Readonly<Record<string, unknown>> | null | undefined)?.['status'];
  const known = typeof status === 'string' ? status.toLowerCase() : '';
  return isMessageStatus(known) && known !== 'uploading' && isSuccess(known);
}

async function digestOf(
  payload: Payload,
  range: { readonly start: number; readonly end: number },
  signal: AbortSignal | undefined,
): Promise<string> {
  const chunk = makeChunkBody({ payload, range, gzip: false, onBytes: () => undefined });
  for await (const block of chunk.body.open(signal ?? new AbortController().signal)) void block;
  return chunk.sha256();
}
