import {
  type ChunkNumber,
  type DownloadView,
  downloadContentType,
  downloadHeaders,
  downloadStatus,
  invalidChunkNumber,
  isSuccess,
  type MailboxId,
  type MessageId,
  parseChunkNumber,
  parseMessageId,
} from '@openmesh/protocol';
import type { Downloaded, DownloadRequest } from '../../message/download.ts';
import { wireStatus } from '../../message/lifecycle.ts';
import { type NotDone, type Refused, refuse } from '../../message/refused.ts';
import { encodeContent, type NotGzip, type Outgoing } from './content.ts';
import {
  type CallerRequest,
  type CommittingOperation,
  type ReadingOperation,
  type Reply,
  refuseAs,
} from './request.ts';

type Download = (request: DownloadRequest) => Promise<Downloaded | NotDone>;

const firstChunk = 1 as ChunkNumber;

/** `GET /messageexchange/{mailbox}/inbox/{id}`: the message, or its first chunk. */
export function downloadMessage(download: Download, notGzip: NotGzip): CommittingOperation {
  return {
    name: 'download-message',
    access: 'token',
    commitsNonce: true,
    handle: (request) => answer({ download, notGzip }, request, firstChunk),
  };
}

/** `GET /messageexchange/{mailbox}/inbox/{id}/{n}`: any chunk, chunk 1 of a whole message included. */
export function downloadChunk(download: Download, notGzip: NotGzip): CommittingOperation {
  return {
    name: 'download-chunk',
    access: 'token',
    commitsNonce: true,
    async handle(request) {
      const raw = request.params[1] ?? '';
      const chunkNumber = parseChunkNumber(raw);
      if (chunkNumber === undefined) return refuseAs(invalidChunkNumber(raw), 'the path has no chunk number');
      return answer({ download, notGzip }, request, chunkNumber);
    },
  };
}

/** `HEAD /messageexchange/{mailbox}/inbox/{id}`: the headers of chunk 1, always 200, never a body. */
export function headMessage(
  inspect: (request: { mailbox: MailboxId; messageId: MessageId }) => Promise<Downloaded | Refused>,
): ReadingOperation {
  return {
    name: 'head-message',
    access: 'token',
    commitsNonce: false,
    async handle({ mailbox, params, version }) {
      const messageId = parseMessageId(params[0] ?? '');
      if (messageId === undefined) return refuse('message-does-not-exist', 'the path has no message id');
      const found = await inspect({ mailbox, messageId });
      if (found.kind === 'refused') return found;
      const view = toView(found, firstChunk, found.message.contentEncoding === 'gzip');
      const headers: [string, string][] = [
        ...downloadHeaders(view),
        ['content-type', downloadContentType(view, version)],
      ];
      return { kind: 'plain', status: 200, headers, body: '', withoutBody: true, messageId };
    },
  };
}

async function answer(
  { download, notGzip }: { readonly download: Download; readonly notGzip: NotGzip },
  request: CallerRequest,
  chunkNumber: ChunkNumber,
): Promise<Reply | NotDone> {
  const { mailbox, params, version, acceptsGzip, nonce } = request;
  const messageId = parseMessageId(params[0] ?? '');
  if (messageId === undefined) return refuse('message-does-not-exist', 'the path has no message id');
  const found = await download({ mailbox, messageId, chunkNumber, nonce });
  if (found.kind !== 'found') return found;
  const nothing: Outgoing = { kind: 'plain', bytes: new Uint8Array(0), gzipped: false };
  const stored = found.message.contentEncoding;
  // Remembered for long: by the record's own text, for the caller's would keep the whole request it came with.
  const chunk = `${found.message.messageId} ${chunkNumber}`;
  const wanted = { gzip: acceptsGzip, version, notGzip, chunk };
  const out = found.content === null ? nothing : await encodeContent(found.content, stored, wanted);
  const view = toView(found, chunkNumber, out.gzipped);
  const headers: [string, string][] = [...downloadHeaders(view), ['content-type', downloadContentType(view, version)]];
  const status = downloadStatus(view);
  switch (out.kind) {
    case 'plain':
      return { kind: 'plain', status, headers, body: out.bytes, messageId };
    case 'blocks':
      return { kind: 'blocks', status, headers, lengthBytes: out.lengthBytes, blocks: out.blocks, messageId };
    case 'stream':
      return { kind: 'stream', status, headers, pieces: out.pieces, messageId };
  }
}

function toView({ message, texts }: Downloaded, chunk: ChunkNumber, gzipResponse: boolean): DownloadView {
  const isReport = message.messageType === 'REPORT';
  return {
    messageId: message.messageId,
    type: message.messageType,
    from: message.sender ?? undefined,
    to: message.addressedTo ?? message.recipient ?? '',
    workflowId: message.workflowId,
    chunk,
    totalChunks: message.totalChunks,
    ...texts,
    compressed: message.compressed,
    encrypted: message.encrypted,
    gzipResponse,
    statusCode: message.statusCode,
    statusEvent: message.statusEvent,
    statusDescription: message.statusDescription,
    // A report is about a failure; that it was itself delivered is not news.
    statusSuccess: !isReport && isSuccess(wireStatus(message.state)),
    statusAtMs: isReport ? message.createdAtMs : (message.acceptedAtMs ?? message.createdAtMs),
    linkedMessageId: message.linkedMessageId ?? undefined,
    lastModifiedMs: message.stateAtMs,
  };
}
