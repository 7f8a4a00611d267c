import type { ChunkHeaders, ChunkNumber, MailboxId, MessageId } from '@openmesh/protocol';
import { errorEntry, repeatedChunkGraceMs } from '@openmesh/protocol';
import type { Registry } from '../mailbox/registry.ts';
import type { Bodies } from '../store/bodies.ts';
import type { MessageRecord } from '../store/ledger/message-records.ts';
import type { AddChunkOutcome, Completion, MessageLedger, NewChunk } from '../store/ledger/messages.ts';
import type { NonceClaim } from '../store/ledger/nonces.ts';
import type { IncomingBody } from './incoming-body.ts';
import { transferredStatus } from './lifecycle.ts';
import { openPatientAddress, openTexts, type TextSealer } from './private-texts.ts';
import type { ReceiveBody } from './receive-body.ts';
import { type NotDone, type Refused, refuse } from './refused.ts';
import { failureTexts, makeReport } from './report.ts';
import { decideAndCommit, type Route } from './route.ts';
import { type LifeSpans, lifeDates, type ServiceClock } from './service-clock.ts';

export interface ChunkRequest {
  readonly sender: MailboxId;
  readonly messageId: MessageId;
  readonly chunkNumber: ChunkNumber;
  readonly headers: ChunkHeaders;
  readonly body: IncomingBody;
  readonly nonce: NonceClaim | null;
}

export type ChunkOutcome = { readonly kind: 'stored' } | NotDone;

export interface ReceiveChunkParts {
  readonly ledger: Pick<MessageLedger, 'addChunk' | 'find' | 'findWithChunk'>;
  readonly bodies: Pick<Bodies, 'remove'>;
  readonly registry: Pick<Registry, 'reloadIfNewer'>;
  readonly route: Route;
  readonly receiveBody: ReceiveBody;
  readonly sealer: TextSealer;
  readonly clock: ServiceClock;
  readonly newMessageId: () => MessageId;
  readonly spans: LifeSpans;
  readonly messageBytesMax: number;
  /** Live rules: the range's total must be the message's, and an identical repeat of a stored chunk is answered again. */
  readonly strict: boolean;
}

/**
 * A later chunk, in any order. The same chunk again while the upload is open replaces the first; the last one missing
 * completes the message in the same commit. Rejections as for a send.
 */
export function createReceiveChunk(parts: ReceiveChunkParts): (request: ChunkRequest) => Promise<ChunkOutcome> {
  return async (request) => {
    const { messageId, chunkNumber, sender } = request;
    const message = await parts.ledger.find(messageId);
    if (message === null || message.hideAtMs <= parts.clock.nowMs() || message.messageType === 'REPORT')
      return refuse('not-found', 'the message is not known', messageId);
    if (message.sender !== sender) return refuse('forbidden', 'the message belongs to another sender', messageId);
    if (message.state !== 'uploading') return repeatOrRefuse(parts, request, message);
    const refused = checkAgainstMessage(parts, request, message);
    if (refused !== null) return refused;
    const received = await parts.receiveBody(request.body, chunkNumber);
    if (received.kind === 'empty') return refuse('missing-data', 'the body is empty', messageId);
    if (received.kind === 'too-large')
      return refuse('message-too-large', 'the body is over the limit of one request', messageId);
    let outcome: Exclude<AddChunkOutcome, { kind: 'stale' }>;
    try {
      outcome = await decideAndCommit(parts.registry, () => addChunk(parts, request, message, received.chunk));
    } catch (error) {
      const kind = (error as { kind?: unknown } | null)?.kind;
      if (kind === 'full' || kind === 'unavailable') await received.discard();
      throw error;
    }
    switch (outcome.kind) {
      case 'stored':
        if (outcome.replaced !== null) await parts.bodies.remove([outcome.replaced]);
        return { kind: 'stored' };
      case 'not-uploading':
        await received.discard();
        return refuse('message-finalised', 'the upload was completed meanwhile', messageId);
      case 'too-large':
        await received.discard();
        return refuse('message-too-large', 'the message is over the limit over all its chunks', messageId);
      case 'nonce-used':
        await received.discard();
        return outcome;
    }
  };
}

function checkAgainstMessage(
  parts: ReceiveChunkParts,
  { headers, chunkNumber, messageId }: ChunkRequest,
  message: MessageRecord,
): Refused | null {
  const { totalChunks } = message;
  if (chunkNumber > totalChunks)
    return refuse('chunk-beyond-total', `chunk ${chunkNumber} of a message of ${totalChunks}`, messageId);
  if (parts.strict && headers.range !== undefined && headers.range.total !== totalChunks)
    return refuse('invalid-chunk-range', `the range says ${headers.range.total} chunks of ${totalChunks}`, messageId);
  if (headers.contentEncoding !== message.contentEncoding)
    return refuse('content-encoding-changed', 'the chunks must be encoded alike', messageId);
  return null;
}

function addChunk(
  parts: ReceiveChunkParts,
  request: ChunkRequest,
  message: MessageRecord,
  chunk: NewChunk,
): Promise<AddChunkOutcome> {
  const atMs = parts.clock.nowMs();
  return parts.ledger.addChunk({
    nonce: request.nonce,
    messageId: request.messageId,
    sender: request.sender,
    atMs,
    chunk,
    messageBytesMax: parts.messageBytesMax,
    completion: completion(parts, message, request.sender, atMs),
  });
}

/** What the commit does if this chunk is the last one missing: the recipient may have gone since the first. */
function completion(parts: ReceiveChunkParts, message: MessageRecord, sender: MailboxId, atMs: number): Completion {
  const { workflowId, totalChunks, recipient } = message;
  const to = recipient ?? openPatientAddress(parts.sealer, message.messageId, message.sealed) ?? '';
  const decision = parts.route({ sender, to, toMailbox: recipient ?? undefined, workflowId, totalChunks });
  const dates = lifeDates(atMs, parts.spans);
  const { registryVersion } = decision;
  if (decision.kind === 'deliver') {
    const events = [{ atMs, actor: sender, kind: 'accepted', detail: '' }];
    return { registryVersion, state: 'accepted', status: transferredStatus, ...dates, events, report: null };
  }
  if (decision.kind === 'resolve') {
    const events = [{ atMs, actor: sender, kind: 'accepted', detail: '' }];
    const waiting = { ...dates, expiresAtMs: null, events, report: null };
    return { registryVersion, state: 'routing', status: transferredStatus, ...waiting };
  }
  const { code, event, text } = errorEntry(decision.error);
  const status = { code, event, description: text };
  const texts = failureTexts(openTexts(parts.sealer, message.messageId, message.sealed));
  const facts = { reportId: parts.newMessageId(), atMs, to: sender, workflowId, status, about: message.messageId };
  const report = makeReport({ ...facts, texts }, parts.sealer, parts.spans);
  const detail = `${decision.error}: ${decision.detail}`;
  const events = [{ atMs, actor: 'exchange', kind: 'refused', detail }];
  return { registryVersion, state: 'error', status, ...dates, events, report };
}

/**
 * The answer to the last chunk may have been lost on its way: a byte-identical repeat soon after is answered as the
 * first was, so that the sender does not take a delivered message for a failed one.
 */
async function repeatOrRefuse(
  parts: ReceiveChunkParts,
  request: ChunkRequest,
  message: MessageRecord,
): Promise<ChunkOutcome> {
  const { messageId, chunkNumber } = request;
  const finalised = refuse('message-finalised', `the message is ${message.state}`, messageId);
  const sinceMs = parts.clock.nowMs() - message.stateAtMs;
  if (!parts.strict || message.acceptedAtMs === null || sinceMs > repeatedChunkGraceMs) return finalised;
  const found = await parts.ledger.findWithChunk(messageId, chunkNumber);
  if (found === null || found.chunk === null) return finalised;
  const received = await parts.receiveBody(request.body, chunkNumber);
  if (received.kind !== 'received') return finalised;
  await received.discard();
  const { sizeBytes, sha256 } = received.chunk;
  return sizeBytes === found.chunk.sizeBytes && sha256 === found.chunk.sha256 ? { kind: 'stored' } : finalised;
}
