import { FixtureFault, type ImportedMessage, type MessageRecord, type PrivateTexts } from '@openmesh/exchange';
import {
  isoMicros,
  type MailboxId,
  type MessageId,
  type Party,
  parseIsoInstant,
  parseMailboxId,
  parseMessageId,
  toHeaderText,
} from '@openmesh/protocol';

/** What a message's JSON file says, checked; its chunks are files of their own. */
export type DocumentedMessage = Omit<ImportedMessage, 'chunks'> & {
  readonly isReport: boolean;
  /** 0 for a report. */
  readonly totalChunks: number;
};

interface Place {
  /** As shown to people: mailbox, folder and name. */
  readonly file: string;
  readonly messageId: MessageId;
  readonly recipient: MailboxId;
  /** Service clock: the date of a message that has none. */
  readonly nowMs: number;
}

const textLengthMax = 500;
const chunksMax = 10_000;
const outcomes = ['accepted', 'acknowledged', 'undeliverable', 'error'] as const;

type Json = Readonly<Record<string, unknown>>;

/** Reads own members of objects that may be absent; every value is checked, and no problem repeats one. */
class Document {
  readonly #file: string;
  constructor(file: string) {
    this.#file = file;
  }

  refuse(problem: string): never {
    throw new FixtureFault(this.#file, undefined, problem);
  }

  object(value: unknown, name: string): Json {
    if (value === undefined || value === null) return {};
    if (typeof value !== 'object' || Array.isArray(value)) return this.refuse(`${name} must be an object`);
    return value as Json;
  }

  member(object: Json, name: string): unknown {
    return (Object.hasOwn(object, name) ? object[name] : undefined) ?? undefined;
  }

  text(object: Json, name: string): string | undefined {
    const value = this.member(object, name);
    if (value === undefined || value === '') return undefined;
    if (typeof value !== 'string' || value.length > textLengthMax) {
      return this.refuse(`${name} must be a text of at most ${textLengthMax} characters`);
    }
    return toHeaderText(value);
  }

  /** The official sandbox writes flags as true and false, older files as Y and N. */
  flag(object: Json, name: string): boolean {
    const value = this.member(object, name);
    return value === true || (typeof value === 'string' && /^(y|yes|true)$/i.test(value));
  }

  instant(object: Json, name: string): number | undefined {
    const value = this.member(object, name);
    if (value === undefined) return undefined;
    const ms = typeof value === 'string' ? parseIsoInstant(value) : undefined;
    return ms ?? this.refuse(`${name} must be a date and time, ISO 8601`);
  }

  messageId(object: Json, name: string): MessageId | null {
    const text = this.text(object, name);
    if (text === undefined) return null;
    return parseMessageId(text) ?? this.refuse(`${name} must be a message id`);
  }

  mailbox(object: Json, name: string): MailboxId | undefined {
    const text = this.text(this.object(this.member(object, name), name), 'mailbox_id');
    if (text === undefined) return undefined;
    return parseMailboxId(text) ?? this.refuse(`${name} must be a mailbox`);
  }
}

/**
 * Reads the JSON of a message in the layout of the official sandbox's file store. Undefined for an upload that was never
 * finished. Throws `FixtureFault`, which names the file and the member, never a value.
 */
export function readDocument(
  json: string,
  { file, messageId, recipient, nowMs }: Place,
): DocumentedMessage | undefined {
  const document = new Document(file);
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    document.refuse('is not JSON');
  }
  const root = document.object(parsed, 'the file');
  if ((document.text(root, 'message_id') ?? messageId).toUpperCase() !== messageId) {
    document.refuse('message_id is not the name of the file');
  }
  if ((document.mailbox(root, 'recipient') ?? recipient) !== recipient) {
    document.refuse('recipient is not the mailbox of the folder');
  }
  const events = readEvents(document, root);
  const newest = events[0]?.status ?? 'accepted';
  if (newest === 'uploading') return undefined;
  const state = outcomes.find((candidate) => candidate === newest);
  if (state === undefined)
    return document.refuse(`the status of the newest event must be one of ${outcomes.join(', ')}`);
  const isReport = /^report$/i.test(document.text(root, 'message_type') ?? 'DATA');
  const failed = events.find(({ status }) => status === 'undeliverable' || status === 'error');
  const sender = document.mailbox(root, 'sender') ?? null;
  if (sender === null && !isReport) document.refuse('sender is missing');
  const createdAtMs = document.instant(root, 'created_timestamp') ?? nowMs;
  return {
    messageId,
    sender,
    recipient,
    workflowId: document.text(root, 'workflow_id') ?? '',
    ...readMetadata(document, root),
    createdAtMs,
    expiresAtMs: document.instant(root, 'inbox_expiry_timestamp'),
    linkedMessageId: failed?.linkedMessageId ?? null,
    state,
    stateAtMs: events[0]?.atMs ?? createdAtMs,
    status: failed,
    isReport,
    totalChunks: isReport ? 0 : readTotal(document, root),
  };
}

function readMetadata(document: Document, root: Json) {
  const metadata = document.object(document.member(root, 'metadata'), 'metadata');
  const texts: PrivateTexts = {
    subject: document.text(metadata, 'subject'),
    localId: document.text(metadata, 'local_id'),
    fileName: document.text(metadata, 'file_name'),
    partnerId: document.text(metadata, 'partner_id'),
    checksum: document.text(metadata, 'checksum'),
    contentType: document.text(metadata, 'content_type'),
  };
  const encoding = document.text(metadata, 'content_encoding') ?? '';
  if (encoding !== '' && encoding !== 'gzip') document.refuse('content_encoding must be gzip or empty');
  const contentEncoding: 'gzip' | '' = encoding === 'gzip' ? 'gzip' : '';
  const compressed = document.flag(metadata, 'compressed');
  return { texts, contentEncoding, compressed, encrypted: document.flag(metadata, 'encrypted') };
}

function readTotal(document: Document, root: Json): number {
  const total = document.member(root, 'total_chunks') ?? 1;
  if (typeof total === 'number' && Number.isInteger(total) && total >= 1 && total <= chunksMax) return total;
  return document.refuse(`total_chunks must be a number from 1 to ${chunksMax}`);
}

function readEvents(document: Document, root: Json) {
  const list = document.member(root, 'events') ?? [];
  if (!Array.isArray(list)) return document.refuse('events must be a list');
  return list.map((item: unknown) => {
    const event = document.object(item, 'events');
    return {
      status: document.text(event, 'status') ?? 'accepted',
      code: document.text(event, 'code') ?? '',
      event: document.text(event, 'event') ?? '',
      description: document.text(event, 'description') ?? '',
      linkedMessageId: document.messageId(event, 'linked_message_id'),
      atMs: document.instant(event, 'timestamp'),
    };
  });
}

function at(ms: number | null): string | undefined {
  return ms === null ? undefined : isoMicros(ms, 'naive');
}

/** A message as people find it in the folders: the same layout, so that such a file can serve as a fixture elsewhere. */
export function writeDocument(message: MessageRecord, texts: PrivateTexts, sender: Party, recipient: Party): string {
  const document = {
    message_id: message.messageId,
    recipient: writeParty(recipient),
    sender: message.sender === null ? undefined : writeParty(sender),
    events: writeEvents(message),
    metadata: {
      subject: texts.subject,
      content_type: texts.contentType,
      content_encoding: message.contentEncoding,
      file_name: texts.fileName,
      local_id: texts.localId,
      partner_id: texts.partnerId,
      checksum: texts.checksum,
      encrypted: message.encrypted,
      compressed: message.compressed,
    },
    workflow_id: message.workflowId,
    message_type: message.messageType,
    total_chunks: message.totalChunks,
    file_size: message.sizeBytes,
    inbox_expiry_timestamp: at(message.expiresAtMs),
    last_modified: at(message.stateAtMs),
    created_timestamp: at(message.createdAtMs),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function writeParty(party: Party) {
  const { mailboxId: mailbox_id, mailboxName: mailbox_name, odsCode: ods_code, orgCode: org_code } = party;
  return { mailbox_id, mailbox_name, ods_code, org_code, org_name: party.orgName };
}

/** Newest first. A report is accepted because of a failure, which is the older event. */
function writeEvents(message: MessageRecord): readonly object[] {
  const { statusCode: code, statusEvent: event, statusDescription: description, state } = message;
  const accepted = { status: 'accepted', timestamp: at(message.acceptedAtMs ?? message.createdAtMs) };
  const linked_message_id = message.linkedMessageId ?? undefined;
  const told = { code, event, description, linked_message_id };
  if (message.messageType === 'REPORT') {
    const cause = { status: 'undeliverable', ...told, timestamp: at(message.createdAtMs) };
    const now = state === 'accepted' ? [] : [{ status: state, timestamp: at(message.stateAtMs) }];
    return [...now, accepted, cause];
  }
  if (state === 'accepted') return [accepted];
  const newest = { status: state, timestamp: at(message.stateAtMs) };
  const failed = state === 'undeliverable' || state === 'error';
  return [failed ? { ...newest, ...told } : newest, accepted];
}
