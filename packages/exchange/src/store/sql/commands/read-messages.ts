import { type MailboxId, type MessageId, matchesWorkflow, type WorkflowFilter } from '@openmesh/protocol';
import type { BodyRef } from '../../bodies.ts';
import type {
  ChunkRecord,
  InboxEntry,
  InboxPage,
  MessageRecord,
  RichEntry,
  StoredState,
} from '../../ledger/message-records.ts';
import type { ChunkQuery, FoundChunk, PageQuery } from '../../ledger/messages.ts';
import type { NonceClaim, NonceUsed } from '../../ledger/nonces.ts';
import { all, one, type Question, type Talk } from '../question.ts';
import * as inbox from '../questions/inbox.ts';
import * as q from '../questions/records.ts';
import { claimNonce } from './write-messages.ts';

export function* inboxPage(query: PageQuery): Talk<InboxPage> {
  const { mailbox, afterPosition, limit, filter } = query;
  if (filter !== null) return yield* filteredPage(query, filter, yield* waitingCount(mailbox));
  const rows = yield* all(inbox.listWaiting, mailbox, afterPosition, limit + 1);
  const entries = rows.slice(0, limit) as unknown as readonly InboxEntry[];
  const last = entries.at(-1);
  const isWhole = afterPosition === 0 && rows.length <= limit;
  const waiting = isWhole ? rows.length : yield* waitingCount(mailbox);
  return { entries, nextAfter: rows.length > limit && last !== undefined ? last.position : null, waiting };
}

function* filteredPage(query: PageQuery, filter: WorkflowFilter, waiting: number): Talk<InboxPage> {
  const { mailbox, afterPosition, limit, examineMax } = query;
  const rows = yield* all(inbox.listWaitingWorkflows, mailbox, afterPosition, examineMax + 1);
  const entries: InboxEntry[] = [];
  let examined = 0;
  let lastPosition = afterPosition;
  for (const row of rows.slice(0, examineMax)) {
    if (entries.length === limit) break;
    examined += 1;
    lastPosition = row.position;
    if (!matchesWorkflow(filter, row.workflowId)) continue;
    entries.push({ messageId: row.messageId as MessageId, position: row.position });
  }
  return { entries, nextAfter: examined < rows.length ? lastPosition : null, waiting };
}

export function* waitingCount(mailbox: MailboxId): Talk<number> {
  const counted = yield* one(inbox.readWaiting, mailbox);
  return counted?.waiting ?? 0;
}

export function* positionOf(mailbox: MailboxId, messageId: MessageId): Talk<number | null> {
  const message = yield* one(q.readPosition, messageId);
  return message?.recipient === mailbox ? message.position : null;
}

function toRecord(row: q.MessageRow): MessageRecord {
  return {
    messageId: row.messageId as MessageId,
    messageType: row.messageType as MessageRecord['messageType'],
    sender: row.sender as MailboxId | null,
    recipient: row.recipient as MailboxId | null,
    addressedTo: row.addressedTo as MailboxId | null,
    madeAs: row.madeAs as MessageRecord['madeAs'],
    originId: row.originId as MessageId | null,
    workflowId: row.workflowId,
    state: row.state as StoredState,
    statusCode: row.statusCode,
    statusEvent: row.statusEvent,
    statusDescription: row.statusDescription,
    compressed: row.compressed === 1,
    encrypted: row.encrypted === 1,
    sealed: row.sealed,
    linkedMessageId: row.linkedMessageId as MessageId | null,
    createdAtMs: row.createdAtMs,
    acceptedAtMs: row.acceptedAtMs,
    expiresAtMs: row.expiresAtMs,
    stateAtMs: row.stateAtMs,
    acknowledgedAtMs: row.acknowledgedAtMs,
    hideAtMs: row.hideAtMs,
    payloadId: row.payloadId,
    totalChunks: row.totalChunks ?? 0,
    sizeBytes: row.sizeBytes ?? 0,
    contentEncoding: row.contentEncoding === 'gzip' ? 'gzip' : '',
    // Gone altogether, when another message that pointed to the same payload was removed first.
    payloadDeleted: row.payloadId !== null && (row.totalChunks === null || row.deletedAtMs !== null),
    firstListedAtMs: row.firstListedAtMs,
    firstDownloadAtMs: row.firstDownloadAtMs,
    lastDownloadAtMs: row.lastDownloadAtMs,
    downloads: row.downloads,
  };
}

export function* find(messageId: MessageId): Talk<MessageRecord | null> {
  const row = yield* one(q.findMessage, messageId);
  return row === undefined ? null : toRecord(row);
}

/** A page and the nonce of whoever asked for it, in one commit. */
export function* collectPage(
  query: PageQuery,
  nonce: NonceClaim,
): Talk<({ readonly kind: 'page' } & InboxPage) | NonceUsed> {
  // In the order of the other commands, which claim last: where many are led side by side, they claim together.
  const page = yield* inboxPage(query);
  return (yield* claimNonce(nonce)) ?? { kind: 'page', ...page };
}

/** A chunk and the nonce of whoever asked for it, in one commit; a body of the body store is yet to be read. */
export function* collectChunk(
  query: ChunkQuery,
  nonce: NonceClaim,
): Talk<
  ({ readonly kind: 'found'; readonly claimed: boolean } & FoundChunk) | { readonly kind: 'unknown' } | NonceUsed
> {
  const found = yield* findWithChunk(query.messageId, query.chunkNumber);
  if (found === null) return { kind: 'unknown' };
  const { recipient, state, hideAtMs } = found.message;
  const isServed = recipient === nonce.mailbox && query.states.includes(state) && hideAtMs > query.nowMs;
  const claimed = isServed && found.chunk !== null && found.chunk.inline !== null;
  const used = claimed ? yield* claimNonce(nonce) : null;
  return used ?? { kind: 'found', claimed, ...found };
}

export function* findWithChunk(messageId: MessageId, chunkNumber: number): Talk<FoundChunk | null> {
  const row = yield* one(q.findMessageWithBody, messageId);
  if (row === undefined) return null;
  const { keyId, wrapped } = row;
  const key = keyId === null || wrapped === null ? null : { keyId, wrapped };
  return { message: toRecord(row), chunk: yield* chunkOf(row, chunkNumber), key };
}

type WithBody = typeof q.findMessageWithBody extends Question<infer R> ? R : never;

function* chunkOf(row: WithBody, chunkNumber: number): Talk<ChunkRecord | null> {
  const { payloadId, totalChunks, sizeBytes, deletedAtMs, sha256, blockDigests, storedAtMs } = row;
  if (payloadId === null || deletedAtMs !== null) return null;
  const ref = row.ref as BodyRef | null;
  if (totalChunks === 1 && sizeBytes !== null && sha256 !== null && blockDigests !== null && storedAtMs !== null) {
    return chunkNumber === 1
      ? { chunkNumber, sizeBytes, sha256, blockDigests, inline: row.inline, ref, storedAtMs }
      : null;
  }
  const chunk = yield* one(q.findChunk, payloadId, chunkNumber);
  return chunk === undefined ? null : { ...chunk, ref: chunk.ref as BodyRef | null };
}

export function* findByLocalKey(sender: MailboxId, localKey: string, nowMs: number): Talk<readonly MessageRecord[]> {
  const fresh = yield* all(q.findNewByLocalKey, sender, localKey, nowMs);
  const filed = yield* all(q.findByLocalKey, sender, localKey, nowMs);
  return [...fresh, ...filed].slice(0, 2).map(toRecord);
}

export function* rich(query: {
  box: 'inbox' | 'outbox';
  mailbox: MailboxId;
  sinceMs: number;
  nowMs: number;
  beforeMessageId: MessageId | null;
  limit: number;
}): Talk<readonly RichEntry[]> {
  const [filedOnes, newOnes] = query.box === 'inbox' ? inboxQuestions : outboxQuestions;
  // '~' sorts after every character of a message id.
  const range = [query.mailbox, query.beforeMessageId ?? '~', query.sinceMs, query.nowMs] as const;
  const fresh = yield* all(newOnes, ...range);
  const filed = yield* all(filedOnes, ...range, query.limit);
  const newestFirst = [...fresh, ...filed].sort((a, b) => (a.messageId < b.messageId ? 1 : -1));
  return newestFirst.slice(0, query.limit).map((row) => ({ ...row, totalChunks: row.totalChunks ?? 0 }) as RichEntry);
}

const inboxQuestions = [q.richInbox, q.richNewInbox] as const;
const outboxQuestions = [q.richOutbox, q.richNewOutbox] as const;
