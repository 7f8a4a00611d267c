import type { ErrorClass, ErrorName, MessageId, WhoCanFix } from '@openmesh/protocol';
import type { ClientErrorName } from './client-errors.ts';

/** The name of an error: of the catalogue both ends share, or of what only a client can meet. Never changes. */
export type MeshErrorCode = ErrorName | ClientErrorName;

/** What was being done. */
export type OperationName =
  | 'handshake'
  | 'send'
  | 'send-chunk'
  | 'list'
  | 'count'
  | 'download'
  | 'describe'
  | 'acknowledge'
  | 'track'
  | 'track-local-id'
  | 'lookup'
  | 'search-workflow'
  | 'preflight'
  | 'ping'
  | 'configure';

/** The words of the service, as they came. They are not part of any message text, for they may repeat what was sent. */
export interface WireRefusal {
  readonly event: string;
  readonly code: string;
  readonly text: string;
}

/** A header or parameter the service would not take; its value is left out, for it may be personal. */
export interface InvalidField {
  /** Such as `header mex-subject`. */
  readonly where: string;
  readonly problem: string;
}

export interface MeshErrorParts {
  readonly code: MeshErrorCode;
  readonly operation: OperationName;
  readonly text: string;
  readonly class: ErrorClass;
  readonly whoCanFix: WhoCanFix;
  readonly hint: string;
  readonly status?: number | undefined;
  readonly wire?: WireRefusal | undefined;
  readonly fields?: readonly InvalidField[] | undefined;
  readonly messageId?: MessageId | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly serverTimeMs?: number | undefined;
  readonly cause?: unknown;
}

/**
 * The one error this package throws for what the service or the network did. `class` says what may be done about it:
 * `transient`, the same call may succeed later; `ambiguous`, it may have taken effect; `permanent`, repeating it
 * unchanged cannot succeed. The message holds no personal data.
 */
export class MeshError extends Error {
  override readonly name = 'MeshError';
  readonly code: MeshErrorCode;
  readonly operation: OperationName;
  readonly class: ErrorClass;
  readonly whoCanFix: WhoCanFix;
  /** What to do, for people. */
  readonly hint: string;
  /** HTTP status of the answer, where there was one. */
  readonly status: number | undefined;
  readonly wire: WireRefusal | undefined;
  readonly fields: readonly InvalidField[];
  /** The message it is about, where one is known: also of a send that was refused, if the service gave it an id. */
  readonly messageId: MessageId | undefined;
  /** How long the service asked to be left alone. */
  readonly retryAfterMs: number | undefined;
  /** The service's clock when it answered, milliseconds since 1970, where it told. */
  readonly serverTimeMs: number | undefined;

  constructor(parts: MeshErrorParts) {
    super(parts.text, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.code = parts.code;
    this.operation = parts.operation;
    this.class = parts.class;
    this.whoCanFix = parts.whoCanFix;
    this.hint = parts.hint;
    this.status = parts.status;
    this.wire = parts.wire;
    this.fields = parts.fields ?? [];
    this.messageId = parts.messageId;
    this.retryAfterMs = parts.retryAfterMs;
    this.serverTimeMs = parts.serverTimeMs;
  }
}
