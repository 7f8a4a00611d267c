import { chunksMax, type MessageId, parseIdempotencyKey, parseMessageId } from '@openmesh/protocol';
import { clientError } from '../errors/client-errors.ts';
import { MeshError } from '../errors/mesh-error.ts';
import type { CallOptions } from '../options.ts';
import { type Payload, type PayloadInput, sourceOf } from '../payload/payload.ts';
import { type OnProgress, ProgressMeter } from '../progress.ts';
import { withRetries } from '../retry.ts';
import { attempt, type Session } from '../session.ts';
import { type Answer, readJson } from '../wire/answer.ts';
import { makeChunkBody } from './chunk-body.ts';
import { messageHeaders, type OutgoingMessage } from './outgoing-message.ts';
import { sendRemainingChunks } from './send-chunks.ts';
import type { SendOutcome } from './send-outcome.ts';
import type { ChunkDone, UploadState } from './upload-state.ts';

export interface SendOptions extends CallOptions {
  /** Source bytes of one chunk; a payload that is larger is sent in chunks. The client's limit when absent. */
  readonly chunkBytes?: number | undefined;
  /** Chunks under way at once. When absent: the client's limit where the service takes any order, else 1. */
  readonly parallelChunks?: number | undefined;
  /** Pack each chunk on the way; the recipient gets the same bytes. No when absent. */
  readonly gzip?: boolean | undefined;
  /**
   * What this message is called, so that a repeat is not a second message: 1 to 64 visible ASCII characters, used with
   * the same message and payload only. Sent where the service takes keys. A fresh one when absent.
   */
  readonly idempotencyKey?: string | undefined;
  /** Called, and waited for, each time the service has taken a chunk of several. */
  readonly onState?: ((state: UploadState, chunk: ChunkDone) => void | Promise<void>) | undefined;
  readonly onProgress?: OnProgress | undefined;
}

export interface SendContext {
  readonly session: Session;
  /** The service takes idempotency keys, and chunks in any order. */
  readonly takesKeys: boolean;
}

interface FirstChunk {
  readonly message: OutgoingMessage;
  readonly payload: Payload;
  readonly options: SendOptions;
  readonly plan: ChunkPlan;
  readonly idempotencyKey: string | undefined;
  readonly meter: ProgressMeter;
}

export interface ChunkPlan {
  readonly chunkBytes: number;
  readonly totalChunks: number;
}

/** Sends one message whole or in chunks. Throws the error of a refusal; a lost answer is an outcome. */
export async function send(
  context: SendContext,
  message: OutgoingMessage,
  input: PayloadInput,
  options: SendOptions,
): Promise<SendOutcome> {
  const { session } = context;
  const key = settleKey(context, options);
  const payload = await sourceOf(input).open(options.signal);
  try {
    const plan = planChunks(payload.sizeBytes, settleChunkBytes(session, options.chunkBytes));
    const meter = meterOf(session, payload.sizeBytes, plan.totalChunks, options.onProgress);
    const first: FirstChunk = { message, payload, options, plan, idempotencyKey: key, meter };
    const sent = await sendFirstChunk(session, first);
    const { sizeBytes } = payload;
    const { totalChunks } = plan;
    if (sent instanceof MeshError) return unknownOutcome(first, sent);
    meter.chunkDone();
    if (totalChunks > 1) {
      const state = stateOf(session, first, sent.messageId, sent.done);
      await options.onState?.(state, sent.done);
      await sendRemainingChunks({ session, payload, state, options, meter, parallel: parallelOf(context, options) });
    }
    return { kind: 'sent', messageId: sent.messageId, sizeBytes, totalChunks };
  } finally {
    await payload.close();
  }
}

/** How a payload is cut. Throws `payload-empty` and `payload-too-large`. */
export function planChunks(sizeBytes: number, chunkBytes: number): ChunkPlan {
  if (sizeBytes === 0) throw clientError('payload-empty', 'send');
  const totalChunks = Math.ceil(sizeBytes / chunkBytes);
  if (totalChunks > chunksMax)
    throw clientError('payload-too-large', 'send', { detail: `at most ${chunksMax} chunks` });
  return { chunkBytes, totalChunks };
}

export function meterOf(
  { limits, surroundings }: Session,
  bytesTotal: number,
  chunksTotal: number,
  onProgress: OnProgress | undefined,
  already: { readonly bytes: number; readonly chunks: number } = { bytes: 0, chunks: 0 },
): ProgressMeter {
  const { nowMs } = surroundings;
  const parts = { direction: 'up', bytesTotal, chunksTotal, everyMs: limits.progressMs, nowMs, onProgress } as const;
  return new ProgressMeter(parts, already.bytes, already.chunks);
}

/** Chunks at once, as asked; by itself more than one only where the service says that it takes any order. */
export function parallelOf({ session, takesKeys }: SendContext, options: SendOptions): number {
  const asked = options.parallelChunks ?? (takesKeys ? session.limits.parallelChunks : 1);
  if (!Number.isSafeInteger(asked) || asked < 1 || asked > parallelChunksMax) {
    throw clientError('invalid-option', 'send', { detail: `parallelChunks must be from 1 to ${parallelChunksMax}` });
  }
  return asked;
}

const parallelChunksMax = 32;

function settleChunkBytes({ limits }: Session, asked: number | undefined): number {
  if (asked === undefined) return limits.chunkBytes;
  if (!Number.isSafeInteger(asked) || asked < 1 || asked > limits.chunkBytes) {
    const detail = `chunkBytes must be from 1 to the client's limit of ${limits.chunkBytes}`;
    throw clientError('invalid-option', 'send', { detail });
  }
  return asked;
}

function settleKey({ session, takesKeys }: SendContext, { idempotencyKey }: SendOptions): string | undefined {
  if (idempotencyKey !== undefined && parseIdempotencyKey(idempotencyKey) === undefined) {
    throw clientError('invalid-option', 'send', { detail: 'idempotencyKey takes 1 to 64 visible ASCII characters' });
  }
  return takesKeys ? (idempotencyKey ?? session.surroundings.unique()) : undefined;
}

/** The id and digest of the first chunk; the error when nobody knows whether it was taken. Throws every other. */
async function sendFirstChunk(
  session: Session,
  first: FirstChunk,
): Promise<{ readonly messageId: MessageId; readonly done: ChunkDone } | MeshError> {
  const { message, payload, options, plan, idempotencyKey, meter } = first;
  const gzip = options.gzip === true;
  const headers = {
    'content-type': 'application/octet-stream',
    ...messageHeaders(message, session.mailbox),
    'mex-chunk-range': `1:${plan.totalChunks}`,
    ...(gzip ? { 'content-encoding': 'gzip' } : {}),
    ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
  };
  const range = { start: 0, end: Math.min(plan.chunkBytes, payload.sizeBytes) };
  const tried = { operation: 'send', isRepeatable: idempotencyKey !== undefined, signal: options.signal } as const;
  try {
    return await withRetries(session, tried, async () => {
      const chunk = makeChunkBody({ payload, range, gzip, onBytes: (bytes) => meter.moved(bytes) });
      try {
        const answer = await attempt(session, {
          operation: 'send',
          method: 'POST',
          path: '/outbox',
          headers,
          body: chunk.body,
          carriesChunk: true,
          accepts: [200, 202],
          signal: options.signal,
        });
        const messageId = readMessageId(await readAccepted(answer, session.limits.jsonBytes));
        return { messageId, done: { chunk: 1, sha256: chunk.sha256() } };
      } catch (error) {
        meter.moved(-chunk.bytesRead);
        throw error;
      }
    });
  } catch (error) {
    if (error instanceof MeshError && error.class === 'ambiguous' && error.code !== 'aborted-midway') return error;
    throw error;
  }
}

/** A page that a gateway puts in the place of the answer leaves it open what became of the message behind it. */
async function readAccepted(answer: Answer, bytesMax: number): Promise<unknown> {
  try {
    return await readJson(answer, bytesMax);
  } catch (error) {
    if (!(error instanceof MeshError) || error.code !== 'unexpected-answer') throw error;
    throw clientError('answer-lost', 'send', { detail: 'it is not JSON', status: error.status, cause: error });
  }
}

/** An answer of 202 that names no message leaves it open what became of it. */
function readMessageId(json: unknown): MessageId {
  const body = json as Readonly<Record<string, unknown>> | null;
  const raw = body?.['message_id'] ?? body?.['messageID'];
  const id = typeof raw === 'string' ? parseMessageId(raw) : undefined;
  if (id === undefined) throw clientError('answer-lost', 'send', { detail: 'it names no message' });
  return id;
}

function unknownOutcome(
  { message, payload, options, plan, idempotencyKey }: FirstChunk,
  cause: MeshError,
): SendOutcome {
  return {
    kind: 'unknown',
    localId: message.localId,
    workflowId: message.workflowId,
    idempotencyKey,
    mayHaveBeenDelivered: plan.totalChunks === 1,
    sizeBytes: payload.sizeBytes,
    ...plan,
    contentEncoding: options.gzip === true ? 'gzip' : '',
    modifiedMs: payload.modifiedMs,
    cause,
  };
}

function stateOf(session: Session, { payload, options, plan }: FirstChunk, messageId: MessageId, done: ChunkDone) {
  const state: UploadState = {
    version: 1,
    mailboxId: session.mailbox,
    messageId,
    sizeBytes: payload.sizeBytes,
    modifiedMs: payload.modifiedMs,
    ...plan,
    contentEncoding: options.gzip === true ? 'gzip' : '',
    done: [done],
  };
  return state;
}
