import {
  fromHeaderText,
  type MessageId,
  type MessageType,
  parseBoolean,
  parseChunkRange,
  parseMessageId,
} from '@openmesh/protocol';
import { clientError } from '../errors/client-errors.ts';
import type { OperationName } from '../errors/mesh-error.ts';
import type { AnswerHeaders } from '../wire/answer.ts';

/** What the service says became of a message; for a report, of the message it is about. */
export interface MessageStatusHeaders {
  readonly code: string | undefined;
  readonly event: string | undefined;
  readonly description: string | undefined;
  readonly isSuccess: boolean;
  /** `yyyyMMddHHmmss` in UTC, as it came. */
  readonly timestamp: string | undefined;
}

/** What is known of a message in an inbox. Texts are as a person should see them; `headers` holds them as they came. */
export interface MessageMetadata {
  readonly messageId: MessageId;
  /** `REPORT`: the service telling what became of `linkedMessageId`; it has no content. */
  readonly type: MessageType;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly workflowId: string | undefined;
  readonly fileName: string | undefined;
  readonly localId: string | undefined;
  readonly subject: string | undefined;
  readonly partnerId: string | undefined;
  readonly checksum: string | undefined;
  readonly contentType: string | undefined;
  readonly compressed: boolean;
  readonly encrypted: boolean;
  /** 0 for a report. */
  readonly totalChunks: number;
  readonly status: MessageStatusHeaders;
  readonly linkedMessageId: string | undefined;
  /** Every header of the answer by lower-case name, the bytes of each as Latin-1 text, untouched. */
  readonly headers: AnswerHeaders;
}

/** Reads the headers of a download of `chunk`. Throws `unexpected-answer` where they contradict what was asked for. */
export function readMetadata(
  headers: AnswerHeaders,
  asked: { readonly messageId: MessageId; readonly chunk: number; readonly operation: OperationName },
): MessageMetadata {
  const { messageId } = asked;
  const raw = (name: string): string | undefined => headers.get(`mex-${name}`) || undefined;
  const text = (name: string): string | undefined => {
    const value = raw(name);
    return value === undefined ? undefined : fromHeaderText(value);
  };
  // A gateway may answer 200 with a page of its own, which must not be taken for what somebody sent.
  if (![...headers.keys()].some((name) => name.startsWith('mex-'))) contradiction('it has no header of MESH', asked);
  const named = raw('messageid');
  if (named !== undefined && parseMessageId(named) !== messageId) contradiction('it is another message', asked);
  const type = (raw('messagetype') ?? 'DATA').toUpperCase() === 'REPORT' ? 'REPORT' : 'DATA';
  return {
    messageId,
    type,
    from: raw('from'),
    to: raw('to'),
    workflowId: text('workflowid'),
    fileName: text('filename'),
    localId: text('localid'),
    subject: text('subject'),
    partnerId: text('partnerid'),
    checksum: text('content-checksum'),
    contentType: text('content-type') ?? headers.get('content-type'),
    compressed: parseBoolean(raw('content-compressed')),
    encrypted: parseBoolean(raw('content-encrypted')),
    totalChunks: type === 'REPORT' ? 0 : readTotal(headers, asked),
    status: {
      code: raw('statuscode'),
      event: raw('statusevent'),
      description: text('statusdescription'),
      isSuccess: (raw('statussuccess') ?? 'SUCCESS').toUpperCase() === 'SUCCESS',
      timestamp: raw('statustimestamp'),
    },
    linkedMessageId: raw('linkedmsgid'),
    headers,
  };
}

/** The number of chunks: of the range, else of the total, else 1; a service sends either, both or none. */
function readTotal(headers: AnswerHeaders, asked: Parameters<typeof readMetadata>[1]): number {
  const rawRange = headers.get('mex-chunk-range');
  const rawTotal = headers.get('mex-total-chunks');
  const range = rawRange === undefined || rawRange === '' ? undefined : parseChunkRange(rawRange);
  if (rawRange && (range === undefined || range.chunk !== asked.chunk || range.chunk > range.total)) {
    contradiction('its chunk range is not that of the chunk asked for', asked);
  }
  const total = rawTotal ? parseChunkRange(`1:${rawTotal}`)?.total : undefined;
  if (rawTotal && rawTotal !== '0' && total === undefined) contradiction('its number of chunks is none', asked);
  if (range !== undefined && total !== undefined && total !== range.total) {
    contradiction('it gives two numbers of chunks', asked);
  }
  return range?.total ?? total ?? 1;
}

function contradiction(detail: string, { operation, messageId }: Parameters<typeof readMetadata>[1]): never {
  throw clientError('unexpected-answer', operation, { detail, messageId });
}
