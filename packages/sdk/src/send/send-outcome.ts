import type { MessageId } from '@openmesh/protocol';
import type { MeshError } from '../errors/mesh-error.ts';
import type { Tracking } from '../track.ts';
import type { UploadState } from './upload-state.ts';

/** The service has the whole message. */
export interface Sent {
  readonly kind: 'sent';
  readonly messageId: MessageId;
  readonly sizeBytes: number;
  readonly totalChunks: number;
}

/**
 * Nobody knows whether the service took the message: its answer to the first (or only) chunk was lost, and repeating it
 * could have sent it twice. `resolveSend` finds out; sending again with the same idempotency key is safe where
 * `idempotencyKey` is set.
 */
export interface SendUnknown {
  readonly kind: 'unknown';
  readonly localId: string | undefined;
  readonly workflowId: string;
  /** The key the message was sent under; undefined where the service does not take keys. */
  readonly idempotencyKey: string | undefined;
  /** More than one chunk: it cannot have been delivered, but an upload may have begun. */
  readonly mayHaveBeenDelivered: boolean;
  readonly sizeBytes: number;
  readonly totalChunks: number;
  readonly chunkBytes: number;
  readonly contentEncoding: '' | 'gzip';
  readonly modifiedMs: number | undefined;
  readonly cause: MeshError;
}

export type SendOutcome = Sent | SendUnknown;

/** What was found out about a send whose answer was lost. */
export type SendResolution =
  /** The service took it; `tracking` says what became of it since. */
  | { readonly kind: 'arrived'; readonly messageId: MessageId; readonly tracking: Tracking }
  /** An upload began and can be continued with this state. */
  | { readonly kind: 'uploading'; readonly messageId: MessageId; readonly state: UploadState }
  /** The service knows no such message: it can be sent again. */
  | { readonly kind: 'not-found' }
  /** It cannot be told: there was no local id, several messages have it, or the one that has it is another message. */
  | { readonly kind: 'undecided'; readonly reason: 'no-local-id' | 'several' | 'another-message' };
