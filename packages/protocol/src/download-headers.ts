import { formatChunkRange } from './chunk-range.ts';
import type { MessageId } from './identifiers.ts';
import type { ApiVersion } from './profile.ts';
import { type MessageType, transferred } from './statuses.ts';
import { compactUtc, httpDate } from './timestamps.ts';

/** What a download or HEAD says about a message. Members left out or empty have no header. */
export interface DownloadView {
  readonly messageId: MessageId;
  readonly type: MessageType;
  /** The sender; left out of a report. */
  readonly from?: string | undefined;
  /** The mailbox the message is in: for a report, the original sender. */
  readonly to: string;
  readonly workflowId: string;
  /** The chunk of this answer, from 1. */
  readonly chunk: number;
  readonly totalChunks: number;
  readonly fileName?: string | undefined;
  readonly localId?: string | undefined;
  readonly subject?: string | undefined;
  readonly partnerId?: string | undefined;
  readonly checksum?: string | undefined;
  readonly contentType?: string | undefined;
  /** The sender flagged the payload as compressed. */
  readonly compressed: boolean;
  readonly encrypted: boolean;
  /** The body of this answer is gzip, as stored or made on the way out. */
  readonly gzipResponse: boolean;
  /** Of the failure, for a report; a message that arrived says so without being told. */
  readonly statusCode?: string | undefined;
  readonly statusEvent?: string | undefined;
  readonly statusDescription?: string | undefined;
  readonly statusSuccess: boolean;
  /** Acceptance, or the failure a report is about; milliseconds since 1970. */
  readonly statusAtMs: number;
  /** The message a report is about. */
  readonly linkedMessageId?: string | undefined;
  /** Time of the last status event, in milliseconds since 1970. */
  readonly lastModifiedMs: number;
}

type HeaderList = [name: string, value: string][];

const OCTET_STREAM = 'application/octet-stream';

/**
 * The `mex-*` headers, `content-encoding` and `last-modified` of an answer, names in lower case because one widespread
 * client compares them so. Content type and length are separate. A report has no sender, no chunk range (a `1:0` sends
 * another client into an endless loop) and a total of 0 chunks; data that is kept always has both range and total.
 */
export function downloadHeaders(view: DownloadView): HeaderList {
  const headers: HeaderList = [];
  return view.type === 'REPORT' ? addReportHeaders(headers, view) : addDataHeaders(headers, view);
}

/**
 * `content-type` of a download: octets in version 1, for a report and for a chunked message; else what the sender said.
 */
export function downloadContentType(
  view: Pick<DownloadView, 'type' | 'totalChunks' | 'contentType'>,
  version: ApiVersion,
): string {
  if (version === 1 || view.type === 'REPORT' || view.totalChunks > 1) return OCTET_STREAM;
  return view.contentType || OCTET_STREAM;
}

/** 206 while further chunks follow, else 200; a report is always whole. HEAD answers 200 whatever this says. */
export function downloadStatus(view: Pick<DownloadView, 'type' | 'chunk' | 'totalChunks'>): 200 | 206 {
  return view.type === 'DATA' && view.chunk < view.totalChunks ? 206 : 200;
}

/** The file name a message has when its sender gave none. */
export function defaultFileName(messageId: MessageId): string {
  return `${messageId}.dat`;
}

function addDataHeaders(headers: HeaderList, view: DownloadView): HeaderList {
  add(headers, 'mex-from', view.from);
  addAddress(headers, view);
  // Of a refused message nothing is kept, which only a HEAD of its sender shows; no range says that.
  if (view.totalChunks > 0) headers.push(['mex-chunk-range', formatChunkRange(view.chunk, view.totalChunks)]);
  headers.push(['mex-total-chunks', String(view.totalChunks)]);
  addCommon(headers, view);
  add(headers, 'mex-partnerid', view.partnerId);
  add(headers, 'mex-content-checksum', view.checksum);
  add(headers, 'mex-content-type', view.contentType);
  if (view.compressed || view.gzipResponse) headers.push(['mex-content-compressed', 'Y']);
  if (view.encrypted) headers.push(['mex-content-encrypted', 'Y']);
  if (view.gzipResponse) headers.push(['content-encoding', 'gzip']);
  return addStatus(headers, view);
}

function addReportHeaders(headers: HeaderList, view: DownloadView): HeaderList {
  addAddress(headers, view);
  headers.push(['mex-total-chunks', '0']);
  addCommon(headers, view);
  add(headers, 'mex-linkedmsgid', view.linkedMessageId);
  return addStatus(headers, view);
}

function addAddress(headers: HeaderList, view: DownloadView): void {
  add(headers, 'mex-to', view.to);
  add(headers, 'mex-workflowid', view.workflowId);
}

function addCommon(headers: HeaderList, view: DownloadView): void {
  headers.push(
    ['mex-messageid', view.messageId],
    ['mex-messagetype', view.type],
    ['mex-filename', view.fileName || defaultFileName(view.messageId)],
    ['mex-addresstype', 'ALL'],
    ['mex-version', '1.0'],
  );
  add(headers, 'mex-localid', view.localId);
  add(headers, 'mex-subject', view.subject);
}

function addStatus(headers: HeaderList, view: DownloadView): HeaderList {
  const byDefault = view.statusSuccess ? transferred : undefined;
  add(headers, 'mex-statuscode', view.statusCode ?? byDefault?.code);
  add(headers, 'mex-statusevent', view.statusEvent ?? byDefault?.event);
  add(headers, 'mex-statusdescription', view.statusDescription ?? byDefault?.description);
  headers.push(
    ['mex-statussuccess', view.statusSuccess ? 'SUCCESS' : 'ERROR'],
    ['mex-statustimestamp', compactUtc(view.statusAtMs)],
    ['last-modified', httpDate(view.lastModifiedMs)],
  );
  return headers;
}

function add(headers: HeaderList, name: string, value: string | undefined): void {
  if (value !== undefined && value !== '') headers.push([name, value]);
}
