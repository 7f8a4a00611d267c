import { createHash } from 'node:crypto';
import { clientError } from '../errors/client-errors.ts';
import type { CallOptions } from '../options.ts';
import { type Payload, type PayloadInput, sourceOf } from '../payload/payload.ts';
import { waitUnlessAborted } from '../retry.ts';
import type { Session } from '../session.ts';
import { localIdAtService, trackByLocalId } from '../track.ts';
import { meterOf, parallelOf, type SendContext, type SendOptions } from './send.ts';
import { sendRemainingChunks } from './send-chunks.ts';
import type { SendResolution, SendUnknown, Sent } from './send-outcome.ts';
import { parseUploadState, type UploadState } from './upload-state.ts';

export interface ResumeOptions extends Pick<SendOptions, 'signal' | 'parallelChunks' | 'onState' | 'onProgress'> {
  /**
   * How the payload is held to the one that was begun: by its size and its date, or also by reading every chunk that was
   * taken again. `size-and-date` when absent.
   */
  readonly verify?: 'size-and-date' | 'digests' | undefined;
}

/**
 * Goes on with an upload where its state ends. Throws `state-unusable` when the payload is not the one that was begun,
 * and the service's 404 when it has given the upload up: then send anew.
 */
export async function resumeSend(
  context: SendContext,
  input: PayloadInput,
  stored: UploadState,
  options: ResumeOptions,
): Promise<Sent> {
  const { session } = context;
  const state = parseUploadState(stored);
  if (state.mailboxId !== session.mailbox) unusable('it is of another mailbox');
  const payload = await sourceOf(input).open(options.signal);
  try {
    await holdToState(payload, state, options);
    const bytes = state.done.reduce((sum, { chunk }) => sum + bytesOf(state, chunk), 0);
    const already = { bytes, chunks: state.done.length };
    const meter = meterOf(session, state.sizeBytes, state.totalChunks, options.onProgress, already);
    await sendRemainingChunks({ session, payload, state, options, meter, parallel: parallelOf(context, options) });
    const { messageId, sizeBytes, totalChunks } = state;
    return { kind: 'sent', messageId, sizeBytes, totalChunks };
  } finally {
    await payload.close();
  }
}

/** Finds out by its local id whether a send whose answer was lost was taken. Sends nothing. */
export async function resolveSend(
  session: Session,
  unknown: SendUnknown,
  { signal }: CallOptions,
): Promise<SendResolution> {
  const { localId, workflowId, totalChunks } = unknown;
  if (localId === undefined || localIdAtService(localId) === '') return { kind: 'undecided', reason: 'no-local-id' };
  for (let look = 1; ; look += 1) {
    const found = await trackByLocalId(session, localId, { signal });
    switch (found.kind) {
      case 'none':
        if (look >= session.limits.lostSendLooks) return { kind: 'not-found' };
        await waitUnlessAborted(session.limits.lostSendLookMs, session, { operation: 'track-local-id', signal });
        break;
      case 'several':
        return { kind: 'undecided', reason: 'several' };
      case 'one': {
        const { tracking } = found;
        const { messageId } = tracking;
        const isOther =
          (tracking.workflowId !== undefined && tracking.workflowId !== workflowId.trim()) ||
          (tracking.totalChunks !== undefined && tracking.totalChunks !== totalChunks);
        if (isOther) return { kind: 'undecided', reason: 'another-message' };
        if (tracking.status !== 'uploading') return { kind: 'arrived', messageId, tracking };
        return { kind: 'uploading', messageId, state: stateOf(session, unknown, messageId) };
      }
    }
  }
}

/** No chunk counts as taken, not even the first: whether it arrived whole is what nobody knows, and it may be sent again. */
function stateOf({ mailbox }: Session, unknown: SendUnknown, messageId: UploadState['messageId']): UploadState {
  const { sizeBytes, modifiedMs, chunkBytes, totalChunks, contentEncoding } = unknown;
  const size = { sizeBytes, modifiedMs, chunkBytes, totalChunks, contentEncoding };
  return { version: 1, mailboxId: mailbox, messageId, ...size, done: [] };
}

async function holdToState(payload: Payload, state: UploadState, { verify, signal }: ResumeOptions): Promise<void> {
  if (payload.sizeBytes !== state.sizeBytes) unusable('the payload has another size');
  if (state.modifiedMs !== undefined && payload.modifiedMs !== undefined && payload.modifiedMs !== state.modifiedMs) {
    unusable('the payload was changed since');
  }
  if (verify !== 'digests') return;
  for (const { chunk, sha256 } of state.done) {
    const hash = createHash('sha256');
    const start = (chunk - 1) * state.chunkBytes;
    for await (const block of payload.read({ start, end: start + bytesOf(state, chunk) }, signal)) hash.update(block);
    if (hash.digest('hex') !== sha256) unusable('the payload has other bytes');
  }
}

function bytesOf({ chunkBytes, sizeBytes }: UploadState, chunk: number): number {
  return Math.min(chunk * chunkBytes, sizeBytes) - (chunk - 1) * chunkBytes;
}

function unusable(detail: string): never {
  throw clientError('state-unusable', 'send-chunk', { detail });
}
