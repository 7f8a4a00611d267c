import type { ChunkHeaders, ChunkNumber, MailboxId, MessageId } from '@openmesh/protocol';
import { errorEntry, errorText, repeatedChunkGraceMs } from '@openmesh/protocol';
import type { Soon } from '../keys/key-service.ts';
import type { PayloadKey } from '../keys/payload-key.ts';
import type { PayloadKeys } from '../keys/payload-keys.ts';
import type { Registry } from '../mailbox/registry.ts';
import type { RouteDelivery } from '../mailbox/routing/decide-route.ts';
import type { Bodies } from '../store/bodies.ts';
import type { MessageRecord } from '../store/ledger/message-records.ts';
import type { AddChunkOutcome, Completion, FoundChunk, MessageLedger, NewChunk } from '../store/ledger/messages.ts';
import type { NonceClaim } from '../store/ledger/nonces.ts';
import type { IncomingBody } from './incoming-body.ts';
import { transferredStatus } from './lifecycle.ts';
import { sha256Of } from './open-chunk.ts';
import { openPatientAddress, openTexts, type TextSealer } from './private-texts.ts';
import type { ReceiveBody } from './receive-body.ts';
import { type NotDone, type Refused, refuse } from './refused.ts';
import { failureTexts, makeReport } from './report.ts';
import { type Decision, decideAndCommit, type Route } from './route.ts';
import type { RouteReport } from './route-report.ts';
import { type RoutedMessage, routeByRules } from './routed.ts';
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
  readonly ledger: Pick<MessageLedger, 'addChunk' | 'findWithChunk'>;
  readonly bodies: Pick<Bodies, 'remove'>;
  readonly registry: Pick<Registry, 'reloadIfNewer'>;
  readonly route: Route;
  readonly receiveBody: ReceiveBody;
  readonly payloadKeys: Pick<PayloadKeys, 'open'>;
  readonly sealer: TextSealer;
  readonly clock: ServiceClock;
  readonly routeReport: RouteReport;
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
    const found = await parts.ledger.findWithChunk(messageId, chunkNumber);
    if (found === null || found.message.hideAtMs <= parts.clock.nowMs() || found.message.messageType === 'REPORT')
      return refuse('not-found', 'the message is not known', messageId);
    const { message } = found;
    if (message.sender !== sender || message.madeAs === 'copy')
      return refuse('forbidden', 'the message belongs to another sender', messageId);
    if (message.state !== 'uploading') return repeatOrRefuse(parts, request, found);
    const refused = checkAgainstMessage(parts, request, message);
    if (refused !== null) return refused;
    const payloadKey = await keyOf(parts, found);
    const received = await parts.receiveBody(request.body, chunkNumber, payloadKey);
    if (received.kind === 'empty') return refuse('missing-data', 'the body is empty', messageId);
    if (received.kind === 'too-large')
      return refuse('message-too-large', 'the body is over the limit of one request', messageId);
    const chunk = received.keep();
    let outcome: Exclude<AddChunkOutcome, { kind: 'stale' | 'resized' }>;
    try {
      outcome = await decideAndAdd(parts, request, message, chunk);
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
        return completedMeanwhile(parts, request, chunk, payloadKey);
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

/** Decided on the size that is known, and again on the one that the commit found to be so. */
function decideAndAdd(
  parts: ReceiveChunkParts,
  request: ChunkRequest,
  message: MessageRecord,
  chunk: NewChunk,
): Promise<Exclude<AddChunkOutcome, { kind: 'stale' | 'resized' }>> {
  let sizeBytes = message.sizeBytes + chunk.sizeBytes;
  return decideAndCommit(parts.registry, async () => {
    const atMs = parts.clock.nowMs();
    const ending = completion(parts, message, sizeBytes, request.sender, atMs);
    const outcome = await parts.ledger.addChunk({
      nonce: request.nonce,
      messageId: request.messageId,
      sender: request.sender,
      atMs,
      chunk,
      messageBytesMax: parts.messageBytesMax,
      completion: ending,
    });
    if (outcome.kind !== 'resized') return outcome;
    sizeBytes = outcome.sizeBytes;
    return { kind: 'stale', version: ending.registryVersion } as const;
  });
}

/** What the commit does if this chunk is the last one missing: the recipient may have gone since the first. */
function completion(
  parts: ReceiveChunkParts,
  message: MessageRecord,
  sizeBytes: number,
  sender: MailboxId,
  atMs: number,
): Completion {
  const { workflowId, totalChunks, recipient } = message;
  const to = recipient ?? openPatientAddress(parts.sealer, message.messageId, message.sealed) ?? '';
  const decision = parts.route({ sender, to, toMailbox: recipient ?? undefined, workflowId, totalChunks, sizeBytes });
  const dates = lifeDates(atMs, parts.spans);
  const decidedOn = decidedOnOf(decision, sizeBytes);
  if (decision.kind === 'deliver') {
    const events = [{ atMs, actor: sender, kind: 'accepted', detail: '' }];
    const routed = decision.steps.length === 0 ? undefined : routedUpload(parts, decision, message, atMs);
    const arrived = { state: 'accepted', status: transferredStatus, events, report: null } as const;
    return { ...decidedOn, ...dates, ...arrived, ...(routed === undefined ? {} : { routed }) };
  }
  if (decision.kind === 'resolve') {
    const events = [{ atMs, actor: sender, kind: 'accepted', detail: '' }];
    const waiting = { ...dates, expiresAtMs: null, events, report: null };
    return { ...decidedOn, state: 'routing', status: transferredStatus, ...waiting };
  }
  const { code, event } = errorEntry(decision.error);
  const parameters = decision.kind === 'refuse' ? decision.parameters : undefined;
  const status = { code, event, description: errorText(decision.error, parameters) };
  const texts = failureTexts(openTexts(parts.sealer, message.messageId, message.sealed));
  const facts = { reportId: parts.newMessageId(), atMs, to: sender, workflowId, status, about: message.messageId };
  const made = makeReport({ ...facts, texts }, parts.sealer, parts.spans);
  const [report, ...reportCopies] = parts.routeReport(made, texts);
  const detail = `${decision.error}: ${decision.detail}`;
  const events = [{ atMs, actor: 'exchange', kind: 'refused', detail }];
  return { ...decidedOn, state: 'error', status, ...dates, events, report, reportCopies };
}

function decidedOnOf(
  { registryVersion, sizeBytesMax: bytesMax }: Decision,
  sizeBytes: number,
): Pick<Completion, 'registryVersion' | 'size'> {
  if (bytesMax === undefined || bytesMax === null) return { registryVersion };
  return { registryVersion, size: { bytesMax, isWithin: sizeBytes <= bytesMax } };
}

/** The same copies and redirect as of a message sent whole: its texts are those its first chunk came with. */
function routedUpload(
  parts: ReceiveChunkParts,
  decision: RouteDelivery,
  message: MessageRecord,
  atMs: number,
): RoutedMessage | undefined {
  const texts = openTexts(parts.sealer, message.messageId, message.sealed);
  const { expiresAtMs, hideAtMs, removeAtMs } = lifeDates(atMs, parts.spans);
  const { messageId, messageType, sender, recipient, workflowId, payloadId, compressed, encrypted, sealed } = message;
  const header = { messageId, messageType, sender, recipient, workflowId, payloadId, compressed, encrypted, sealed };
  const life = { state: 'accepted', status: transferredStatus, createdAtMs: atMs, expiresAtMs } as const;
  const links = { localKey: null, linkedMessageId: null, hideAtMs, removeAtMs };
  return routeByRules(parts, decision, { ...header, ...life, ...links }, texts);
}

/**
 * The answer to the last chunk may have been lost on its way: a byte-identical repeat soon after is answered as the
 * first was, so that the sender does not take a delivered message for a failed one.
 */
async function repeatOrRefuse(
  parts: ReceiveChunkParts,
  request: ChunkRequest,
  found: FoundChunk,
): Promise<ChunkOutcome> {
  const { message, chunk } = found;
  const finalised = refuse('message-finalised', `the message is ${message.state}`, request.messageId);
  if (chunk === null || !mayBeRepeated(parts, message)) return finalised;
  const payloadKey = await keyOf(parts, found);
  const received = await parts.receiveBody(request.body, request.chunkNumber, payloadKey);
  if (received.kind !== 'received') return finalised;
  await received.discard();
  const isSame = received.sizeBytes === chunk.sizeBytes && received.sha256() === sha256Of(chunk, payloadKey);
  return isSame ? { kind: 'stored' } : finalised;
}

/** The first of the two may still have been under way when the repeat began: it is a repeat all the same. */
async function completedMeanwhile(
  parts: ReceiveChunkParts,
  { messageId, chunkNumber }: ChunkRequest,
  mine: NewChunk,
  payloadKey: PayloadKey | null,
): Promise<ChunkOutcome> {
  const finalised = refuse('message-finalised', 'the upload was completed meanwhile', messageId);
  const found = await parts.ledger.findWithChunk(messageId, chunkNumber);
  if (found === null || found.chunk === null || !mayBeRepeated(parts, found.message)) return finalised;
  const { chunk } = found;
  const isSame = mine.sizeBytes === chunk.sizeBytes && sha256Of(mine, payloadKey) === sha256Of(chunk, payloadKey);
  return isSame ? { kind: 'stored' } : finalised;
}

function mayBeRepeated({ strict, clock }: ReceiveChunkParts, { acceptedAtMs, stateAtMs }: MessageRecord): boolean {
  return strict && acceptedAtMs !== null && clock.nowMs() - stateAtMs <= repeatedChunkGraceMs;
}

/** A message that is being uploaded, or was, has a payload of its own. */
function keyOf(
  { payloadKeys }: ReceiveChunkParts,
  { message: { payloadId }, key }: Pick<FoundChunk, 'message' | 'key'>,
): Soon<PayloadKey> | null {
  return key === null || payloadId === null ? null : payloadKeys.open(payloadId, key);
}
