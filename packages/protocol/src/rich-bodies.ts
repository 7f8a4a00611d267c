import { jsonContentType } from './accept.ts';
import type { PageLinks, WireAnswer } from './bodies.ts';
import type { MessageId } from './identifiers.ts';
import type { Profile } from './profile.ts';
import type { MessageStatus, MessageType } from './statuses.ts';
import { type Instant, isoMicros } from './timestamps.ts';

/** One message of a rich listing. */
export interface RichMessage {
  readonly messageId: MessageId;
  readonly type: MessageType;
  readonly status: MessageStatus;
  /** Of the failure, when there was one. */
  readonly statusCode?: string | undefined;
  readonly workflowId: string;
  readonly localId?: string | undefined;
  /** Empty for a report, which the service itself sends. */
  readonly sender: string;
  readonly senderName: string;
  readonly recipient: string;
  readonly recipientName: string;
  readonly sentAt?: Instant | undefined;
  readonly expiresAt?: Instant | undefined;
  readonly totalChunks: number;
}

export interface RichView {
  readonly box: 'inbox' | 'outbox';
  /** When the listing was made. */
  readonly validAt: Instant;
  readonly messages: readonly RichMessage[];
  readonly links: PageLinks;
}

/** 200: a listing for people, in version 2's media type whatever was asked for. */
export function richBody(view: RichView, profile: Profile): WireAnswer {
  const style = profile === 'live' ? 'offset' : 'naive';
  const value = {
    valid_at: isoMicros(view.validAt, style),
    messages: view.messages.map((message) => richMessage(message, view.box, style)),
    links: view.links,
  };
  return { status: 200, contentType: jsonContentType(2), body: JSON.stringify(value) };
}

function richMessage(message: RichMessage, box: RichView['box'], style: 'offset' | 'naive'): object {
  return {
    message_id: message.messageId,
    expiry_timestamp: message.expiresAt === undefined ? undefined : isoMicros(message.expiresAt, style),
    local_id: message.localId ?? '',
    message_type: message.type,
    recipient: message.recipient,
    recipient_name: message.recipientName,
    sender: message.sender,
    sender_name: message.senderName,
    sent_date: message.sentAt === undefined ? undefined : isoMicros(message.sentAt, style),
    status: message.status,
    // An outbox shows every text; an inbox shows a code only when there was an error.
    status_code: message.statusCode ?? (box === 'outbox' ? '' : undefined),
    workflow_id: message.workflowId,
    total_chunks: message.totalChunks,
  };
}
