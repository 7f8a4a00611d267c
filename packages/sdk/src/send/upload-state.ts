import { type MessageId, parseMessageId } from '@openmesh/protocol';
import { clientError } from '../errors/client-errors.ts';

/** A chunk that the service has taken. */
export interface ChunkDone {
  /** From 1. */
  readonly chunk: number;
  /** Of the source bytes, before compression; hexadecimal. */
  readonly sha256: string;
}

/**
 * All that is needed to go on with an upload after a crash: plain JSON, about 100 bytes a chunk. Hold it as safely as the
 * file it speaks of; it names no patient and holds no secret.
 */
export interface UploadState {
  readonly version: 1;
  readonly mailboxId: string;
  readonly messageId: MessageId;
  readonly sizeBytes: number;
  /** When the source was last changed; left out where that cannot be known. */
  readonly modifiedMs?: number | undefined;
  readonly chunkBytes: number;
  readonly totalChunks: number;
  readonly contentEncoding: '' | 'gzip';
  /** In the order in which they were taken. */
  readonly done: readonly ChunkDone[];
}

/** Reads a state that was stored as JSON. Throws `state-unusable` when it is none of this version. */
export function parseUploadState(json: unknown): UploadState {
  const state = json as Partial<UploadState> | null | undefined;
  const messageId = typeof state?.messageId === 'string' ? parseMessageId(state.messageId) : undefined;
  const good =
    state?.version === 1 &&
    messageId !== undefined &&
    typeof state.mailboxId === 'string' &&
    isCount(state.sizeBytes) &&
    isCount(state.chunkBytes) &&
    isCount(state.totalChunks) &&
    (state.contentEncoding === '' || state.contentEncoding === 'gzip') &&
    (state.modifiedMs === undefined || typeof state.modifiedMs === 'number') &&
    Array.isArray(state.done) &&
    state.done.every((done) => isChunkDone(done, state.totalChunks ?? 0));
  if (!good) throw clientError('state-unusable', 'send-chunk', { detail: 'it is no state of an upload' });
  return { ...(state as UploadState), messageId };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function isChunkDone(value: unknown, totalChunks: number): boolean {
  const done = value as Partial<ChunkDone> | null;
  const chunk = done?.chunk ?? 0;
  return Number.isSafeInteger(chunk) && chunk >= 1 && chunk <= totalChunks && /^[0-9a-f]{64}$/.test(done?.sha256 ?? '');
}
