import { type MessageId, parseMessageId } from '@openmesh/protocol';
import { clientError } from '../errors/client-errors.ts';

/** A chunk whose content is in the file and flushed. */
export interface ChunkEnd {
  /** From 1. */
  readonly chunk: number;
  /** Of its content, unpacked. */
  readonly bytes: number;
  /** Of its content, hexadecimal. */
  readonly sha256: string;
}

/** All that is needed to go on with a download into a file after a crash: plain JSON, about 100 bytes a chunk. */
export interface DownloadState {
  readonly version: 1;
  readonly mailboxId: string;
  readonly messageId: MessageId;
  readonly totalChunks: number;
  /** Chunks 1 to n, in order. */
  readonly done: readonly ChunkEnd[];
}

/** Reads a state that was stored as JSON. Throws `state-unusable` when it is none of this version. */
export function parseDownloadState(json: unknown): DownloadState {
  const state = json as Partial<DownloadState> | null | undefined;
  const messageId = typeof state?.messageId === 'string' ? parseMessageId(state.messageId) : undefined;
  const good =
    state?.version === 1 &&
    messageId !== undefined &&
    typeof state.mailboxId === 'string' &&
    Number.isSafeInteger(state.totalChunks) &&
    Array.isArray(state.done) &&
    state.done.length <= (state.totalChunks ?? 0) &&
    state.done.every(isChunkEnd);
  if (!good) throw clientError('state-unusable', 'download', { detail: 'it is no state of a download' });
  return { ...(state as DownloadState), messageId };
}

function isChunkEnd(value: unknown, at: number): boolean {
  const end = value as Partial<ChunkEnd> | null;
  const isSize = Number.isSafeInteger(end?.bytes) && (end?.bytes ?? -1) >= 0;
  return end?.chunk === at + 1 && isSize && /^[0-9a-f]{64}$/.test(end?.sha256 ?? '');
}
