import { errorEntry, errorText, type MailboxId, type MessageId, type SendHeaders } from '@openmesh/protocol';
import type { PayloadKeys } from '../keys/payload-keys.ts';
import type { Objection } from '../mailbox/permissions.ts';
import type { Registry } from '../mailbox/registry.ts';
import {
  type AcceptCommand,
  type IdempotencyClaim,
  type MessageLedger,
  type NewChunk,
  type NewEvent,
  type NewMessage,
  type WrappedKey,
} from '../store/ledger/messages.ts';
import type { NonceClaim } from '../store/ledger/nonces.ts';
import { checkChecksum } from './checksum.ts';
import { claimOf, refusedClaimOf } from './idempotency.ts';
import type { IncomingBody } from './incoming-body.ts';
import { transferredStatus } from './lifecycle.ts';
import { localKeys, type PrivateTexts, sealTexts, type TextSealer } from './private-texts.ts';
import type { ReceiveBody, ReceivedBody } from './receive-body.ts';
import { type NotDone, refuse } from './refused.ts';
import { failureTexts, makeReport } from './report.ts';
import { type Decision, decideAndCommit, type Route } from './route.ts';
import type { RouteReport } from './route-report.ts';
import { routeByRules } from './routed.ts';
import { type LifeSpans, lifeDates, type ServiceClock } from './service-clock.ts';

export interface SendRequest {
  readonly sender: MailboxId;
  readonly headers: SendHeaders;
  readonly body: IncomingBody;
  readonly nonce: NonceClaim | null;
  readonly idempotencyKey: { readonly key: string; readonly expiresAtMs: number } | null;
}

export type SendOutcome =
  | { readonly kind: 'accepted'; readonly messageId: MessageId; readonly warning?: 'deprecated-workflow' }
  | NotDone;

export interface SendParts {
  readonly ledger: Pick<MessageLedger, 'accept'>;
  readonly registry: Pick<Registry, 'poll' | 'reloadIfNewer'>;
  readonly route: Route;
  readonly receiveBody: ReceiveBody;
  readonly payloadKeys: Pick<PayloadKeys, 'make' | 'wrappedNow'>;
  readonly sealer: TextSealer;
  readonly clock: ServiceClock;
  readonly routeReport: RouteReport;
  readonly newMessageId: () => MessageId;
  readonly spans: LifeSpans;
  /** Keep a refused message as status error, name it in the answer and report it to the sender. */
  readonly reportOnFailedSend: boolean;
}

/**
 * The first or only chunk of a message: decided, made durable, recorded, then answered. A message of one chunk is in
 * the recipient's inbox when this resolves. Rejects with `BodyAborted`, `BodyFault`, `LedgerFault`, `RegistryTooBusy`.
 */
export function createSend(parts: SendParts): (request: SendRequest) => Promise<SendOutcome> {
  const { ledger, registry, receiveBody } = parts;

  return async (request) => {
    const first = await decide(parts, request);
    if (first.kind === 'refuse') return fail(parts, request, first);
    const messageId = parts.newMessageId();
    const key = await parts.payloadKeys.make(messageId);
    const received = await receiveBody(request.body, 1, key);
    if (received.kind === 'empty') {
      return fail(parts, request, { error: 'missing-data', detail: 'the body is empty' });
    }
    if (received.kind === 'too-large') return refuse('message-too-large', 'the body is over the limit of one request');
    const arrival = arrivalOf(parts.sealer, request, received, messageId);
    try {
      const outcome = await decideAndCommit(registry, async () => {
        const decision = await decide(parts, request, received.sizeBytes);
        if (decision.kind === 'refuse') return { kind: 'refuse' as const, decision };
        const wrapped = key === null ? null : await parts.payloadKeys.wrappedNow(messageId, key);
        return ledger.accept(acceptance(parts, request, { ...arrival, wrapped }, decision));
      });
      if (outcome.kind === 'accepted') return { kind: 'accepted', messageId, ...warningOf(first) };
      await received.discard();
      switch (outcome.kind) {
        case 'refuse': {
          return await fail(parts, request, outcome.decision);
        }
        case 'repeated':
          return { kind: 'accepted', messageId: outcome.messageId };
        case 'key-conflict':
          return refuse('idempotency-key-reused', 'the idempotency key was used before with other content');
        case 'nonce-used':
          return outcome;
      }
    } catch (error) {
      await discardIfCertain(received, error);
      throw error;
    }
  };
}

/** After an unknown outcome the row may exist, so its bytes stay for the orphan sweep to judge. */
async function discardIfCertain(received: ReceivedBody, error: unknown): Promise<void> {
  const kind = (error as { kind?: unknown } | null)?.kind;
  if (kind === 'full' || kind === 'unavailable') await received.discard();
}

/** A refusal commits nothing that would find out that the registry has moved: it is decided again on what is newest then. */
async function decide(
  { route, registry }: SendParts,
  { sender, headers }: SendRequest,
  sizeBytes = 0,
): Promise<Decision> {
  const { to, toMailbox, workflowId, totalChunks } = headers;
  const wanted = { sender, to, toMailbox, workflowId, totalChunks, sizeBytes };
  const decision = route(wanted);
  if (decision.kind !== 'refuse') return decision;
  await registry.poll();
  return route(wanted);
}

function warningOf(decision: Decision): { readonly warning?: 'deprecated-workflow' } {
  return decision.kind === 'deliver' && decision.deprecated ? { warning: 'deprecated-workflow' } : {};
}

function privateTexts(headers: SendHeaders): PrivateTexts {
  const { subject, localId, fileName, partnerId, checksum, contentType } = headers;
  return { subject, localId, fileName, partnerId, checksum, contentType };
}

/** What came of the body, whatever is decided about the message. */
interface Arrival {
  readonly messageId: MessageId;
  readonly chunk: NewChunk;
  readonly claim: IdempotencyClaim | null;
  readonly checksumNote: Pick<NewEvent, 'kind' | 'detail'> | null;
}

/** The bytes are judged as they came, and then kept as they are to be. */
function arrivalOf(sealer: TextSealer, request: SendRequest, received: ReceivedBody, messageId: MessageId): Arrival {
  const claim = claimOf(sealer, request, () => received.sha256());
  const checksumNote = judgeChecksum(request.headers, received);
  return { messageId, claim, checksumNote, chunk: received.keep() };
}

function acceptance(
  parts: SendParts,
  request: SendRequest,
  { messageId, wrapped, chunk, claim, checksumNote }: Arrival & { readonly wrapped: WrappedKey | null },
  decision: Exclude<Decision, { kind: 'refuse' }>,
): AcceptCommand {
  const { headers, sender } = request;
  const atMs = parts.clock.nowMs();
  const dates = lifeDates(atMs, parts.spans);
  const whole = headers.totalChunks === 1;
  const address = decision.kind === 'resolve' ? decision.address : undefined;
  const arrived = address === undefined ? 'accepted' : 'routing';
  const kind = whole ? 'accepted' : 'upload-started';
  const events: NewEvent[] = [{ atMs, actor: sender, kind, detail: '' }];
  if (checksumNote !== null) events.push({ atMs, actor: 'exchange', ...checksumNote });
  const texts = privateTexts(headers);
  const message: NewMessage = {
    messageId,
    messageType: 'DATA',
    sender,
    recipient: decision.kind === 'resolve' ? null : decision.addressed.mailboxId,
    workflowId: headers.workflowId,
    payloadId: messageId,
    state: whole ? arrived : 'uploading',
    status: transferredStatus,
    compressed: headers.compressed,
    encrypted: headers.encrypted,
    sealed: sealTexts(parts.sealer, messageId, texts, address),
    localKey: headers.localId === undefined ? null : (localKeys(parts.sealer, sender, headers.localId)[0] ?? null),
    linkedMessageId: null,
    createdAtMs: atMs,
    expiresAtMs: whole && address === undefined ? dates.expiresAtMs : null,
    hideAtMs: dates.hideAtMs,
    removeAtMs: dates.removeAtMs,
    events,
  };
  return {
    nonce: request.nonce,
    idempotency: claim,
    registryVersion: decision.registryVersion,
    payload: {
      payloadId: messageId,
      totalChunks: headers.totalChunks,
      contentEncoding: headers.contentEncoding,
      keepUntilMs: dates.keepUntilMs,
      key: wrapped,
      chunk,
    },
    messages: whole && decision.kind !== 'resolve' ? deliveredWhole(parts, decision, message, texts) : [message],
  };
}

/** A message that is complete: with what rules make of it, or with the report that it goes nowhere. */
function deliveredWhole(
  parts: SendParts,
  decision: Exclude<Decision, { kind: 'refuse' | 'resolve' }>,
  message: NewMessage,
  texts: PrivateTexts,
): readonly NewMessage[] {
  if (decision.kind === 'deliver') {
    const routed = routeByRules(parts, decision, message, texts);
    if (routed === undefined) return [message];
    const { recipient, routing, copies } = routed;
    return [{ ...message, recipient, routing }, ...copies];
  }
  const { error, detail } = decision;
  const { code, event, text } = errorEntry(error);
  const status = { code, event, description: text };
  const { messageId: about, sender, workflowId, createdAtMs: atMs } = message;
  const to = sender ?? decision.addressed.mailboxId;
  const facts = { reportId: parts.newMessageId(), atMs, to, workflowId, status, about };
  const report = makeReport({ ...facts, texts: failureTexts(texts) }, parts.sealer, parts.spans);
  const events = [...message.events, { atMs, actor: 'exchange', kind: 'refused', detail: `${error}: ${detail}` }];
  const failed: NewMessage = { ...message, state: 'error', status, expiresAtMs: null, events };
  return [failed, ...parts.routeReport(report, failureTexts(texts))];
}

/** A checksum is passed through whatever it says; what can be judged of it goes to the timeline. */
function judgeChecksum({ checksum, totalChunks }: SendHeaders, received: ReceivedBody): Arrival['checksumNote'] {
  if (checksum === undefined) return null;
  if (totalChunks > 1) return { kind: 'checksum-not-checked', detail: 'sent in several chunks' };
  const { plain } = received;
  switch (checkChecksum(checksum, plain === null ? { sha256Hex: received.sha256() } : { bytes: plain })) {
    case 'mismatch':
      return {
        kind: 'checksum-mismatch',
        detail: 'warning: Mex-Content-Checksum does not match the bytes received',
      };
    case 'not-checked':
      return { kind: 'checksum-not-checked', detail: 'only SHA-256 is made of a body of this size' };
    case 'match':
    case 'opaque':
      return null;
  }
}

/** Refuses a message for what it is; under the live rules it stays on record and its sender gets a report. */
async function fail(parts: SendParts, request: SendRequest, objection: Objection): Promise<SendOutcome> {
  const { error, detail, parameters } = objection;
  if (!parts.reportOnFailedSend) return refuse(error, detail, undefined, parameters);
  const { sender, headers } = request;
  const messageId = parts.newMessageId();
  const atMs = parts.clock.nowMs();
  const { hideAtMs, removeAtMs } = lifeDates(atMs, parts.spans);
  const { code, event } = errorEntry(error);
  const status = { code, event, description: errorText(error, parameters) };
  const texts = privateTexts(headers);
  const failed: NewMessage = {
    messageId,
    messageType: 'DATA',
    sender,
    recipient: null,
    workflowId: headers.workflowId,
    payloadId: null,
    state: 'error',
    status,
    compressed: headers.compressed,
    encrypted: headers.encrypted,
    sealed: sealTexts(parts.sealer, messageId, texts),
    localKey: headers.localId === undefined ? null : (localKeys(parts.sealer, sender, headers.localId)[0] ?? null),
    linkedMessageId: null,
    createdAtMs: atMs,
    expiresAtMs: null,
    hideAtMs,
    removeAtMs,
    events: [{ atMs, actor: 'exchange', kind: 'refused', detail: `${error}: ${detail}` }],
  };
  const facts = { reportId: parts.newMessageId(), atMs, to: sender, workflowId: headers.workflowId, status };
  const report = makeReport({ ...facts, about: messageId, texts: failureTexts(texts) }, parts.sealer, parts.spans);
  const outcome = await parts.ledger.accept({
    nonce: request.nonce,
    // Asked again because its answer was lost, a refusal is the same one, and told to the sender once.
    idempotency: refusedClaimOf(parts.sealer, request),
    registryVersion: null,
    payload: null,
    messages: [failed, ...parts.routeReport(report, failureTexts(texts))],
  });
  switch (outcome.kind) {
    case 'nonce-used':
      return outcome;
    case 'key-conflict':
      return refuse('idempotency-key-reused', 'the idempotency key was used before with other content');
    case 'repeated':
      return refuse(error, detail, outcome.messageId, parameters);
    case 'accepted':
    case 'stale':
      return refuse(error, detail, messageId, parameters);
  }
}
