import type { BodyRef } from '../../bodies.ts';
import type { CollectionFacts } from '../../ledger/message-records.ts';
import {
  type AcceptCommand,
  type AcceptOutcome,
  type AcknowledgeCommand,
  type AcknowledgeOutcome,
  type AddChunkCommand,
  type AddChunkOutcome,
  type Completion,
  type IdempotencyClaim,
  isRefusedFingerprint,
  isSameClaim,
  type NewChunk,
  type NewMessage,
  type NewPayload,
} from '../../ledger/messages.ts';
import type { NonceClaim, NonceUsed } from '../../ledger/nonces.ts';
import { claims, one, run, type Talk } from '../question.ts';
import * as inbox from '../questions/inbox.ts';
import * as q from '../questions/messages.ts';
import { moveRecipient } from '../questions/routing.ts';
import { noteRouting } from './routing.ts';
import { appendEvent, eventLine, hasRoom } from './timeline.ts';

/** Takes the nonce or says when it was taken; a command asks for it last before its first effect. */
export function* claimNonce(wanted: NonceClaim | null): Talk<NonceUsed | null> {
  if (wanted === null) return null;
  const seenAtMs = yield* claims(wanted);
  return seenAtMs === undefined ? null : { kind: 'nonce-used', seenAtMs };
}

export function* claim(nonce: NonceClaim): Talk<{ readonly kind: 'claimed' } | NonceUsed> {
  return (yield* claimNonce(nonce)) ?? { kind: 'claimed' };
}

export function* staleVersion(decidedOn: number | null): Talk<number | null> {
  if (decidedOn === null) return null;
  const current = yield* one(q.readRegistryVersion);
  const version = current?.version ?? 0;
  return version === decidedOn ? null : version;
}

export function* accept(command: AcceptCommand): Talk<AcceptOutcome> {
  const { payload, messages, idempotency } = command;
  const version = yield* staleVersion(command.registryVersion);
  if (version !== null) return { kind: 'stale', version };
  const first = messages[0];
  const atMs = first?.createdAtMs ?? 0;
  const standing =
    idempotency === null ? undefined : yield* one(q.readIdempotency, idempotency.mailbox, idempotency.key);
  const known = standsInTheWay(standing, idempotency) ? standing : undefined;
  // A refused request never uses up its token: this one is refused before the nonce is claimed.
  if (known !== undefined && idempotency !== null && !isSameClaim(known.fingerprint, idempotency))
    return { kind: 'key-conflict' };
  const used = yield* claimNonce(command.nonce);
  if (used !== null) {
    // Ids are made by the caller: a message of this id is this command's own earlier commit, not a replayed token.
    const mine = first === undefined ? undefined : yield* one(q.readState, first.messageId);
    return mine === undefined ? used : { kind: 'accepted' };
  }
  if (known !== undefined) {
    if (known.messageId === first?.messageId) return { kind: 'accepted' };
    return { kind: 'repeated', messageId: known.messageId as NewMessage['messageId'] };
  }
  if (idempotency !== null && first !== undefined) yield* takeKey(idempotency, first.messageId, standing?.fingerprint);
  if (payload !== null) yield* insertPayload(payload, atMs);
  for (const message of messages) yield* insertMessage(message);
  return { kind: 'accepted' };
}

/** A refusal is known to its own repeat only, and stands in the way of nothing else. */
function standsInTheWay(
  standing: { readonly fingerprint: string } | undefined,
  wanted: IdempotencyClaim | null,
): boolean {
  if (standing === undefined || wanted === null) return false;
  return !isRefusedFingerprint(standing.fingerprint) || isSameClaim(standing.fingerprint, wanted);
}

/**
 * `refusal`: the fingerprint of a refusal that gives way. Where transactions run side by side another may have taken the
 * key since it was looked at: claiming it fails then, and the whole is done again.
 */
function* takeKey(claimed: IdempotencyClaim, messageId: string, refusal: string | undefined): Talk<void> {
  const { mailbox, key, fingerprint, expiresAtMs } = claimed;
  const values = [mailbox, key, fingerprint, messageId, expiresAtMs] as const;
  if (refusal !== undefined && (yield* run(q.replaceIdempotency, ...values, refusal)) === 1) return;
  yield* run(q.claimIdempotency, ...values);
}

function* insertPayload(payload: NewPayload, atMs: number): Talk<void> {
  const { payloadId, totalChunks, contentEncoding, keepUntilMs, key, chunk } = payload;
  const { sizeBytes, sha256, blockDigests, ref, inline } = chunk;
  const isWhole = totalChunks === 1;
  const body = isWhole ? ([sha256, blockDigests, ref, atMs, inline] as const) : noBody;
  const about = [payloadId, totalChunks, sizeBytes, contentEncoding, keepUntilMs] as const;
  const isNew = yield* run(q.insertPayload, ...about, key?.keyId ?? null, key?.wrapped ?? null, ...body);
  if (isNew === 1 && !isWhole) yield* insertChunk(payloadId, chunk, atMs);
}

const noBody = [null, null, null, null, null] as const;

function* insertChunk(payloadId: string, chunk: NewChunk, atMs: number): Talk<void> {
  const { chunkNumber, sizeBytes, sha256, blockDigests, ref, inline } = chunk;
  yield* run(q.insertChunk, payloadId, chunkNumber, sizeBytes, sha256, blockDigests, ref, inline, atMs);
}

/** The message with its events, and its inbox entry when it is deliverable. */
export function* insertMessage(message: NewMessage): Talk<void> {
  const { messageId, recipient, expiresAtMs, status } = message;
  const accepted = message.state === 'accepted' || message.state === 'routing';
  const waits = message.state === 'accepted' && recipient !== null && expiresAtMs !== null;
  const position = waits ? yield* nextPosition(recipient) : null;
  const isNew = yield* run(
    q.insertMessage,
    messageId,
    message.messageType,
    message.sender,
    recipient,
    message.workflowId,
    message.payloadId,
    message.state,
    status.code,
    status.event,
    status.description,
    message.compressed ? 1 : 0,
    message.encrypted ? 1 : 0,
    message.sealed,
    message.localKey,
    message.linkedMessageId,
    message.createdAtMs,
    accepted ? message.createdAtMs : null,
    message.hideAtMs,
    message.removeAtMs,
    position,
    waits ? expiresAtMs : null,
    message.events.map(eventLine).join(''),
  );
  if (isNew === 0) return;
  if (message.routing !== undefined) yield* noteRouting(messageId, message.routing, message.createdAtMs);
  if (!waits || position === null) return;
  yield* run(inbox.countIn, recipient);
  yield* run(inbox.insertEntry, recipient, position, messageId, message.workflowId, expiresAtMs);
}

function* nextPosition(mailbox: string): Talk<number> {
  return (yield* one(inbox.nextPosition, mailbox))?.position ?? 1;
}

/** Puts a message that is there already at the end of the inbox. */
export function* deliver(mailbox: string, messageId: string, workflowId: string, expiresAtMs: number): Talk<void> {
  const position = yield* nextPosition(mailbox);
  yield* run(q.setPosition, messageId, position, expiresAtMs);
  yield* run(inbox.countIn, mailbox);
  yield* run(inbox.insertEntry, mailbox, position, messageId, workflowId, expiresAtMs);
}

/** Takes a message out of its inbox; false when it was not waiting there. `taking`: how surely it waits. */
export function* withdraw(mailbox: string | null, position: number | null, taking = inbox.deleteEntry): Talk<boolean> {
  if (mailbox === null || position === null) return false;
  if ((yield* run(taking, mailbox, position)) === 0) return false;
  yield* run(inbox.countOut, mailbox);
  return true;
}

export function* addChunk(command: AddChunkCommand): Talk<AddChunkOutcome> {
  const { messageId, chunk, completion } = command;
  const upload = yield* one(q.readUpload, messageId);
  if (upload === undefined || upload.payloadId === null || upload.sender !== command.sender)
    return { kind: 'not-uploading' };
  if (upload.state !== 'uploading') return { kind: 'not-uploading' };
  const payloadId = upload.payloadId;
  const isWhole = upload.totalChunks === 1 && chunk.chunkNumber === 1;
  const before = isWhole ? upload : yield* one(q.readChunkKey, payloadId, chunk.chunkNumber);
  const grownBytes = chunk.sizeBytes - (before?.sizeBytes ?? 0);
  if (upload.sizeBytes + grownBytes > command.messageBytesMax) return { kind: 'too-large' };
  const version = yield* staleVersion(completion.registryVersion);
  if (version !== null) return { kind: 'stale', version };
  const sizeBytes = upload.sizeBytes + grownBytes;
  const isLast = upload.storedChunks + (before === undefined ? 1 : 0) === upload.totalChunks;
  if (isLast && isResized(completion, sizeBytes)) return { kind: 'resized', sizeBytes };
  const used = yield* claimNonce(command.nonce);
  if (used !== null) return used;
  if (before === undefined) {
    yield* insertChunk(payloadId, chunk, command.atMs);
  } else if (isWhole) {
    yield* run(q.replaceBody, payloadId, chunk.sha256, chunk.blockDigests, chunk.ref, command.atMs, chunk.inline);
  } else {
    const { chunkNumber, sha256, blockDigests, ref, inline } = chunk;
    yield* run(
      q.replaceChunk,
      payloadId,
      chunkNumber,
      chunk.sizeBytes,
      sha256,
      blockDigests,
      ref,
      inline,
      command.atMs,
    );
  }
  const grown = yield* one(q.growPayload, payloadId, before === undefined ? 1 : 0, grownBytes);
  const complete = grown !== undefined && grown.storedChunks === grown.totalChunks;
  if (complete) yield* finishUpload(command, payloadId, upload.recipient, upload.workflowId);
  const replaced = (before?.ref ?? null) as BodyRef | null;
  return { kind: 'stored', complete, replaced: replaced === chunk.ref ? null : replaced };
}

/** Whether what was decided of the size is not so: chunks under way at once did not know of each other. */
function isResized({ size }: Completion, sizeBytes: number): boolean {
  return size !== undefined && sizeBytes <= size.bytesMax !== size.isWithin;
}

function* finishUpload(
  command: AddChunkCommand,
  payloadId: string,
  addressed: string | null,
  workflowId: string,
): Talk<void> {
  const { messageId, completion, atMs } = command;
  const { status, routed } = completion;
  const recipient = routed?.recipient ?? addressed;
  const accepted = completion.state !== 'error';
  yield* run(
    q.finishUpload,
    messageId,
    completion.state,
    status.code,
    status.event,
    status.description,
    atMs,
    accepted ? atMs : null,
    completion.hideAtMs,
    completion.removeAtMs,
  );
  if (recipient !== addressed) yield* run(moveRecipient, messageId, recipient);
  yield* run(q.keepPayload, payloadId, completion.keepUntilMs);
  for (const event of completion.events) yield* appendEvent(messageId, event);
  if (completion.state === 'accepted' && recipient !== null && completion.expiresAtMs !== null) {
    yield* deliver(recipient, messageId, workflowId, completion.expiresAtMs);
  }
  if (completion.report !== null) yield* insertMessage(completion.report);
  for (const copy of completion.reportCopies ?? []) yield* insertMessage(copy);
  if (routed === undefined) return;
  yield* noteRouting(messageId, routed.routing, atMs);
  for (const copy of routed.copies) yield* insertMessage(copy);
}

export function* acknowledge(command: AcknowledgeCommand): Talk<AcknowledgeOutcome> {
  const { mailbox, messageId, atMs, collection } = command;
  const message = yield* one(q.readState, messageId);
  if (message === undefined) return { kind: 'not-found' };
  if (message.recipient !== mailbox) return { kind: 'forbidden' };
  const used = yield* claimNonce(command.nonce);
  if (used !== null) return used;
  const waits = message.state === 'accepted';
  if (!waits || !(yield* withdraw(mailbox, message.position, inbox.takeEntry))) return { kind: 'unchanged' };
  const event = { atMs, actor: mailbox, kind: 'acknowledged', detail: '' };
  const isInline = hasRoom(message.eventBytes);
  const { firstListedAtMs, firstDownloadAtMs, lastDownloadAtMs, downloads } = collection ?? nothingCollected;
  const facts = [firstListedAtMs, firstDownloadAtMs, lastDownloadAtMs, downloads] as const;
  yield* run(q.acknowledgeMessage, message.messageNo, atMs, isInline ? eventLine(event) : '', ...facts);
  if (!isInline) yield* appendEvent(messageId, event);
  return { kind: 'acknowledged' };
}

const nothingCollected = { firstListedAtMs: null, firstDownloadAtMs: null, lastDownloadAtMs: null, downloads: 0 };

export function* recordCollections(facts: readonly CollectionFacts[]): Talk<void> {
  for (const fact of facts) {
    const { mailbox, messageId, firstListedAtMs, firstDownloadAtMs, lastDownloadAtMs, downloads } = fact;
    yield* run(q.recordCollection, mailbox, messageId, firstListedAtMs, firstDownloadAtMs, lastDownloadAtMs, downloads);
  }
}
