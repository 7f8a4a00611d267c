import type { MessageId } from '@openmesh/protocol';
import type { MeshError } from '../errors/mesh-error.ts';

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
