import { jsonContentType } from './accept.ts';
import type { WireAnswer } from './bodies.ts';
import { defaultFileName } from './download-headers.ts';
import type { MessageId } from './identifiers.ts';
import type { ApiVersion, Profile } from './profile.ts';
import type { ContentEncoding } from './send-headers.ts';
import { isSuccess, type MessageStatus, type MessageType, titleCase, transferred } from './statuses.ts';
import { compactUtc, type Instant, isoMicros } from './timestamps.ts';

/** A mailbox and its organisation as tracking names them. Unknown names are empty. */
export interface Party {
  readonly mailboxId: string;
  readonly mailboxName: string;
  readonly odsCode: string;
  readonly orgCode: string;
  readonly orgName: string;
}

/** What tracking knows of one message; both versions and the sandbox's message details are made of it. */
export interface TrackingView {
  readonly messageId: MessageId;
  readonly type: MessageType;
  readonly workflowId: string;
  readonly sender: Party;
  /** The mailbox that routing decided on, never a routing expression. */
  readonly recipient: Party;
  readonly localId?: string | undefined;
  readonly subject?: string | undefined;
  readonly fileName?: string | undefined;
  readonly partnerId?: string | undefined;
  readonly checksum?: string | undefined;
  readonly contentEncoding: ContentEncoding;
  readonly compressed: boolean;
  readonly encrypted: boolean;
  readonly totalChunks: number;
  /** Bytes as received; 0 while uploading. */
  readonly fileSizeBytes: number;
  readonly status: MessageStatus;
  /** Time of the last status change. */
  readonly statusAt: Instant;
  /** Of the failure; a message that arrived says so without being told. */
  readonly statusCode?: string | undefined;
  readonly statusEvent?: string | undefined;
  readonly statusDescription?: string | undefined;
  readonly uploadedAt: Instant;
  /** When the message leaves the inbox unread; unset until it is delivered. */
  readonly expiresAt?: Instant | undefined;
  readonly acknowledgedAt?: Instant | undefined;
  readonly linkedMessageId?: string | undefined;
}

/** 200: what became of a message. Members without a value are left out, never null; version 1 keeps empty texts. */
export function trackingBody(view: TrackingView, version: ApiVersion, profile: Profile): WireAnswer {
  const value = version === 1 ? trackingV1(view, profile) : trackingV2(view, profile);
  return { status: 200, contentType: jsonContentType(version), body: JSON.stringify(value) };
}

/** 200: everything about a message, in the spelling of the sandbox's administration. */
export function messageDetailsBody(view: TrackingView): WireAnswer {
  return { status: 200, contentType: 'application/json', body: JSON.stringify(messageDetails(view)) };
}

function trackingV1(view: TrackingView, profile: Profile): object {
  const { sender, recipient } = view;
  const compressed = flag(view.compressed);
  return {
    addressType: 'ALL',
    checksum: view.checksum ?? '',
    chunkCount: view.totalChunks,
    compressFlag: compressed,
    contentEncoding: view.contentEncoding,
    downloadTimestamp: compact(view.acknowledgedAt),
    dtsId: view.messageId,
    encryptedFlag: flag(view.encrypted),
    expiryTime: compact(view.expiresAt),
    fileName: view.fileName || defaultFileName(view.messageId),
    fileSize: view.fileSizeBytes,
    isCompressed: compressed,
    localId: view.localId ?? '',
    meshRecipientOdsCode: recipient.odsCode,
    messageId: view.messageId,
    messageType: profile === 'live' ? view.type : spelledType(view.type),
    partnerId: view.partnerId ?? '',
    recipient: recipient.mailboxId,
    recipientName: recipient.mailboxName,
    recipientOrgCode: recipient.orgCode,
    recipientOrgName: recipient.orgName,
    recipientSmtp: '',
    sender: sender.mailboxId,
    senderName: sender.mailboxName,
    senderOdsCode: sender.odsCode,
    senderOrgCode: sender.orgCode,
    senderOrgName: sender.orgName,
    senderSmtp: '',
    status: titleCase(view.status),
    statusSuccess: successWord(view),
    subject: view.subject ?? '',
    uploadTimestamp: compact(view.uploadedAt),
    version: '1.0',
    workflowId: view.workflowId,
    ...failureV1(view),
  };
}

function failureV1(view: TrackingView): object {
  if (succeeded(view)) return {};
  return {
    failureDate: view.type === 'DATA' ? compact(view.statusAt) : undefined,
    failureDiagnostic: view.type === 'DATA' ? view.statusDescription : undefined,
    linkedMsgId: view.linkedMessageId,
    statusCode: view.statusCode,
    statusEvent: view.statusEvent,
    statusDescription: view.statusDescription,
    statusTimestamp: compact(view.statusAt),
  };
}

function trackingV2(view: TrackingView, profile: Profile): object {
  const style = profile === 'live' ? 'offset' : 'naive';
  // The official sandbox stores texts that were not sent as empty ones, and shows them.
  const absent = profile === 'live' ? undefined : '';
  return {
    message_id: view.messageId,
    local_id: view.localId ?? absent,
    workflow_id: view.workflowId,
    filename: view.fileName ?? absent,
    expiry_time: view.expiresAt === undefined ? undefined : isoMicros(view.expiresAt, style),
    upload_timestamp: isoMicros(view.uploadedAt, style),
    recipient: view.recipient.mailboxId,
    recipient_name: view.recipient.mailboxName,
    recipient_ods_code: view.recipient.odsCode,
    recipient_org_code: view.recipient.orgCode,
    recipient_org_name: view.recipient.orgName,
    status_success: succeeded(view),
    status: view.status,
    ...statusV2(view, profile),
  };
}

function statusV2(view: TrackingView, profile: Profile): object {
  if (!succeeded(view)) {
    return {
      status_event: view.statusEvent,
      status_timestamp: isoMicros(view.statusAt, profile === 'live' ? 'offset' : 'naive'),
      status_description: view.statusDescription,
      status_code: view.statusCode,
    };
  }
  if (profile === 'sandbox') return {};
  // Nothing has been transferred while chunks are outstanding.
  const arrived = view.status === 'uploading' ? undefined : transferred;
  return {
    status_event: arrived?.event,
    status_timestamp: isoMicros(view.statusAt, 'offset'),
    status_description: arrived?.description,
    status_code: arrived?.code,
  };
}

function messageDetails(view: TrackingView): object {
  const failed = !succeeded(view);
  const failedAt = failed ? isoMicros(view.statusAt, 'naive') : undefined;
  const failedData = failed && view.type === 'DATA';
  const failedReport = failed && view.type === 'REPORT';
  return {
    checksum: view.checksum ?? '',
    chunk_count: view.totalChunks,
    content_encoding: view.contentEncoding,
    download_timestamp: view.acknowledgedAt === undefined ? undefined : isoMicros(view.acknowledgedAt, 'naive'),
    expiry_time: view.expiresAt === undefined ? undefined : isoMicros(view.expiresAt, 'naive'),
    failure_date: failedData ? failedAt : undefined,
    failure_diagnostic: failedData ? view.statusDescription : undefined,
    filename: view.fileName || defaultFileName(view.messageId),
    file_size: view.fileSizeBytes,
    is_compressed: view.compressed,
    is_encrypted: view.encrypted,
    linked_msg_id: failed ? view.linkedMessageId : undefined,
    local_id: view.localId ?? '',
    message_id: view.messageId,
    message_type: spelledType(view.type),
    recipient: view.recipient.mailboxId,
    recipient_name: view.recipient.mailboxName,
    recipient_ods_code: view.recipient.odsCode,
    recipient_org_code: view.recipient.orgCode,
    recipient_org_name: view.recipient.orgName,
    sender: view.sender.mailboxId,
    sender_name: view.sender.mailboxName,
    sender_ods_code: view.sender.odsCode,
    sender_org_code: view.sender.orgCode,
    sender_org_name: view.sender.orgName,
    status: titleCase(view.status),
    status_code: failedReport ? view.statusCode : undefined,
    status_description: failedReport ? view.statusDescription : undefined,
    status_event: failedReport ? view.statusEvent : undefined,
    status_success: successWord(view),
    status_timestamp: failedReport ? failedAt : undefined,
    subject: view.subject ?? '',
    upload_timestamp: isoMicros(view.uploadedAt, 'naive'),
    workflow_id: view.workflowId,
  };
}

/** A report tells of a failure, whatever has become of the report itself. */
function succeeded(view: TrackingView): boolean {
  return view.type === 'DATA' && isSuccess(view.status);
}

function successWord(view: TrackingView): 'SUCCESS' | 'ERROR' {
  return succeeded(view) ? 'SUCCESS' : 'ERROR';
}

function spelledType(type: MessageType): 'Data' | 'Report' {
  return type === 'DATA' ? 'Data' : 'Report';
}

function flag(on: boolean): 'Y' | '' {
  return on ? 'Y' : '';
}

function compact(at: Instant | undefined): string {
  if (at === undefined) return '';
  return compactUtc(typeof at === 'number' ? at : at.ms);
}
