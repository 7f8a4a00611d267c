import {
  isMessageStatus,
  isSuccess,
  type MessageId,
  type MessageStatus,
  parseMessageId,
  toHeaderText,
} from '@openmesh/protocol';
import { clientError } from './errors/client-errors.ts';
import { MeshError, type OperationName } from './errors/mesh-error.ts';
import type { CallOptions } from './options.ts';
import { askJson, type Session } from './session.ts';

/** What became of a message. Times are as the service wrote them. */
export interface Tracking {
  readonly messageId: MessageId;
  readonly status: MessageStatus;
  readonly isSuccess: boolean;
  readonly localId: string | undefined;
  readonly workflowId: string | undefined;
  readonly fileName: string | undefined;
  readonly recipient: string | undefined;
  readonly recipientName: string | undefined;
  readonly recipientOdsCode: string | undefined;
  readonly statusCode: string | undefined;
  readonly statusEvent: string | undefined;
  readonly statusDescription: string | undefined;
  readonly statusTimestamp: string | undefined;
  readonly uploadTimestamp: string | undefined;
  readonly expiryTime: string | undefined;
  /** Only in tracking by local id. */
  readonly totalChunks: number | undefined;
}

/** Messages of this mailbox with a local id: none, one, or more than the service tells apart. */
export type TrackingByLocalId =
  | { readonly kind: 'none' }
  | { readonly kind: 'one'; readonly tracking: Tracking }
  | { readonly kind: 'several' };

/** Tracks by message id. Throws `not-found` for a message that is not this mailbox's, or older than 30 days. */
export async function track(session: Session, messageId: MessageId, { signal }: CallOptions): Promise<Tracking> {
  const path = `/outbox/tracking?messageID=${messageId}`;
  const json = await askJson(
    session,
    { isRepeatable: true },
    { operation: 'track', method: 'GET', path, accepts: [200], messageId, signal },
  );
  return readTracking(json, 'track');
}

/**
 * A local id as the service knows it: what came with the message in a header, one character for each byte, blanks at
 * both ends lost. Asked for in any other form it is not found, and a send whose answer was lost would be made again.
 */
export function localIdAtService(localId: string): string {
  return toHeaderText(localId).replace(/^ +/, '').replace(/ +$/, '');
}

/** Tracks by the sender's own reference, which the service answers in version 1 whatever is asked for. */
export async function trackByLocalId(
  session: Session,
  localId: string,
  { signal }: CallOptions,
): Promise<TrackingByLocalId> {
  const path = `/outbox/tracking/${encodeURIComponent(localIdAtService(localId))}`;
  try {
    const json = await askJson(
      session,
      { isRepeatable: true },
      { operation: 'track-local-id', method: 'GET', path, version: 1, accepts: [200], signal },
    );
    return { kind: 'one', tracking: readTracking(json, 'track-local-id') };
  } catch (error) {
    if (error instanceof MeshError && error.status === 404) return { kind: 'none' };
    if (error instanceof MeshError && error.status === 300) return { kind: 'several' };
    throw error;
  }
}

/** Either version: each member under its name of version 2, else of version 1. */
function readTracking(json: unknown, operation: OperationName): Tracking {
  const body = (json ?? {}) as Readonly<Record<string, unknown>>;
  const text = (...names: readonly string[]): string | undefined => {
    for (const name of names) {
      const value = body[name];
      if (typeof value === 'string' && value !== '') return value;
    }
    return undefined;
  };
  const messageId = parseMessageId(text('message_id', 'messageId', 'messageID') ?? '');
  const status = text('status')?.toLowerCase() ?? '';
  if (messageId === undefined || !isMessageStatus(status)) {
    throw clientError('unexpected-answer', operation, { detail: 'it tracks no message' });
  }
  const chunks = body['chunkCount'];
  return {
    messageId,
    status,
    isSuccess: typeof body['status_success'] === 'boolean' ? body['status_success'] : isSuccess(status),
    localId: text('local_id', 'localId'),
    workflowId: text('workflow_id', 'workflowId'),
    fileName: text('filename', 'fileName'),
    recipient: text('recipient'),
    recipientName: text('recipient_name', 'recipientName'),
    recipientOdsCode: text('recipient_ods_code', 'meshRecipientOdsCode'),
    statusCode: text('status_code', 'statusCode'),
    statusEvent: text('status_event', 'statusEvent'),
    statusDescription: text('status_description', 'statusDescription', 'failureDiagnostic'),
    statusTimestamp: text('status_timestamp', 'statusTimestamp', 'failureDate'),
    uploadTimestamp: text('upload_timestamp', 'uploadTimestamp'),
    expiryTime: text('expiry_time', 'expiryTime'),
    totalChunks: typeof chunks === 'number' ? chunks : undefined,
  };
}
