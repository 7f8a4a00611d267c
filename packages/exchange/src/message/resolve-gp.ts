import {
  type Demographics,
  dayInEngland,
  parseNhsNumber,
  readBirthDate,
  type TraceOutcome,
} from '@openmesh/demographics';
import { type ErrorName, errorEntry, errorText, type MessageId, splitGpAddress } from '@openmesh/protocol';
import type { Practice } from '../mailbox/directory/practice.ts';
import type { Registry } from '../mailbox/registry.ts';
import type { RouteDelivery } from '../mailbox/routing/decide-route.ts';
import { SealFault } from '../mailbox/sealer.ts';
import type { AuditLedger } from '../store/ledger/audit.ts';
import type { OdsCode } from '../store/ledger/directory.ts';
import type { MessageRecord } from '../store/ledger/message-records.ts';
import type { MessageLedger, NewEvent, NewMessage } from '../store/ledger/messages.ts';
import type { ResolveCommand, ResolvingLedger } from '../store/ledger/resolving.ts';
import { chooseMailbox, failureOf, type GpDelivery, type GpFailure, type GpHold } from './decide-gp.ts';
import { transferredStatus } from './lifecycle.ts';
import {
  openPatientAddress,
  openTexts,
  type PrivateTexts,
  readableTexts,
  sealTexts,
  type TextSealer,
} from './private-texts.ts';
import { failureTexts, makeReport } from './report.ts';
import { decideAndCommit, type Route } from './route.ts';
import type { RouteReport } from './route-report.ts';
import { routeByRules } from './routed.ts';
import { type LifeSpans, lifeDates, type ServiceClock } from './service-clock.ts';

export interface ResolveGpParts {
  readonly messages: Pick<MessageLedger, 'find'>;
  readonly resolving: Pick<ResolvingLedger, 'resolve'>;
  readonly audit: Pick<AuditLedger, 'append'>;
  readonly demographics: Demographics;
  readonly practiceOf: (odsCode: OdsCode) => Promise<Practice>;
  readonly registry: Pick<Registry, 'current' | 'reloadIfNewer'>;
  readonly route: Route;
  readonly routeReport: RouteReport;
  readonly sealer: TextSealer;
  readonly clock: ServiceClock;
  readonly newMessageId: () => MessageId;
  readonly newCorrelationId: () => string;
  readonly spans: LifeSpans;
  /** How long a message waits for an answer before its sender is told, in milliseconds of the service clock. */
  readonly routingMsMax: number;
  readonly routingHoursMax: number;
}

export type Resolution =
  | { readonly kind: 'delivered' | 'gone' }
  | { readonly kind: 'failed'; readonly error: ErrorName }
  | GpHold;

/** An address taken apart, with what is to be said of it on the timeline; or why it can be nobody's. */
type Reading =
  | { readonly kind: 'question'; readonly question: Parameters<Demographics['trace']>[0]; readonly isOlder: boolean }
  | GpFailure;

const actor = 'exchange';
const noPractice: GpFailure = { kind: 'fail', error: 'no-gp-mailbox', detail: 'no practice was found for the patient' };

/**
 * Resolves the address of one message that waits in state 'routing': traces the patient, finds the practice's mailbox,
 * and delivers, or tells the sender by a report. While the service cannot answer the message is held; past its time the
 * sender is told that too. The patient's details leave the record with the message's state.
 */
export function createResolveGp(parts: ResolveGpParts): (messageId: MessageId) => Promise<Resolution> {
  const { clock } = parts;
  return async (messageId) => {
    const message = await parts.messages.find(messageId);
    if (message === null || message.state !== 'routing') return { kind: 'gone' };
    const isOver = clock.nowMs() - (message.acceptedAtMs ?? message.createdAtMs) >= parts.routingMsMax;
    const reading = readAddress(addressOf(parts, message, isOver), clock.nowMs());
    if (reading.kind === 'fail') return fail(parts, message, reading, []);
    const notes = reading.isOlder ? [note(clock, 'address-warning', 'the date of birth was written DDMMYYYY')] : [];
    const outcome = await parts.demographics.trace(reading.question, { correlationId: parts.newCorrelationId() });
    const failure = failureOf(outcome);
    if (failure?.kind === 'hold') {
      if (!isOver) return failure;
      const detail = `the demographics service did not answer for ${parts.routingHoursMax} hours: ${failure.reason}`;
      return fail(parts, message, { kind: 'fail', error: 'gp-lookup-unavailable', detail }, notes);
    }
    notes.push(...(await auditSuperseded(parts, messageId, reading.question.nhsNumber, outcome)));
    if (failure !== undefined || outcome.kind !== 'found') {
      return fail(parts, message, failure ?? noPractice, notes);
    }
    return deliver(parts, message, await parts.practiceOf(outcome.practice as OdsCode), notes);
  };
}

/** undefined when it is not there, or has not opened until the message's time was over; throws the sealer's fault before. */
function addressOf(
  { sealer }: ResolveGpParts,
  { messageId, sealed }: MessageRecord,
  isOver: boolean,
): string | undefined {
  try {
    return openPatientAddress(sealer, messageId, sealed);
  } catch (error) {
    if (error instanceof SealFault && isOver) return undefined;
    throw error;
  }
}

function readAddress(address: string | undefined, nowMs: number): Reading {
  const split = address === undefined ? undefined : splitGpAddress(address);
  if (split === undefined || split === 'malformed') {
    return {
      kind: 'fail',
      error: 'gp-lookup-unavailable',
      detail: 'the address is no longer kept, or cannot be opened',
    };
  }
  const nhsNumber = parseNhsNumber(split.nhsNumber);
  if (nhsNumber === undefined) {
    return { kind: 'fail', error: 'invalid-nhs-number', detail: 'the number has no ten digits or a wrong check digit' };
  }
  const birth = readBirthDate(split.dateOfBirth, dayInEngland(nowMs));
  if (birth === undefined) {
    return { kind: 'fail', error: 'demographics-mismatch', detail: 'the date of birth is no date that is past' };
  }
  const question = { nhsNumber, dateOfBirth: birth.date, surname: split.surname };
  return { kind: 'question', question, isOlder: birth.order === 'older' };
}

async function deliver(
  parts: ResolveGpParts,
  message: MessageRecord,
  practice: Practice,
  notes: readonly NewEvent[],
): Promise<Resolution> {
  const { registry, clock } = parts;
  const outcome = await decideAndCommit(registry, async () => {
    const snapshot = registry.current();
    const chosen = chooseMailbox(practice, (odsCode) =>
      snapshot.responders(odsCode, message.workflowId, clock.nowMs()),
    );
    const decision = chosen.kind === 'deliver' ? permitted(parts, message, chosen) : chosen;
    const wanted =
      decision.kind === 'deliver'
        ? delivery(parts, message, decision, notes)
        : failing(parts, message, decision, notes);
    const done = await parts.resolving.resolve({ ...wanted, registryVersion: snapshot.version });
    return done.kind === 'stale' ? done : { kind: 'done' as const, decision, wasRouting: done.kind === 'resolved' };
  });
  const { decision, wasRouting } = outcome;
  if (!wasRouting) return { kind: 'gone' };
  return decision.kind === 'fail' ? { kind: 'failed', error: decision.error } : { kind: 'delivered' };
}

interface RoutedToGp extends GpDelivery {
  readonly decision: RouteDelivery;
}

/** The mailbox that was found is judged as any recipient is, and rules are applied to it. */
function permitted(parts: ResolveGpParts, message: MessageRecord, chosen: GpDelivery): RoutedToGp | GpFailure {
  const { sender, workflowId, totalChunks } = message;
  const { mailboxId } = chosen.mailbox;
  if (sender === null) return { kind: 'fail', error: 'no-gp-mailbox', detail: 'the message has no sender' };
  const size = { totalChunks, sizeBytes: message.sizeBytes };
  const decision = parts.route({ sender, to: mailboxId, toMailbox: mailboxId, workflowId, ...size });
  switch (decision.kind) {
    case 'deliver':
      return { ...chosen, decision };
    case 'report':
    case 'refuse':
      return { kind: 'fail', error: decision.error, detail: decision.detail };
    case 'resolve':
      throw new Error('a mailbox was taken for the address of a patient');
  }
}

function delivery(
  parts: ResolveGpParts,
  message: MessageRecord,
  { mailbox, because, decision }: RoutedToGp,
  notes: readonly NewEvent[],
): Omit<ResolveCommand, 'registryVersion'> {
  const atMs = parts.clock.nowMs();
  const routed = routeByRules(parts, decision, arrived(parts, message, atMs), textsOf(parts, message));
  return {
    ...ending(parts, message, atMs),
    state: 'accepted',
    recipient: routed?.recipient ?? mailbox.mailboxId,
    ...(routed === undefined ? {} : { routing: routed.routing }),
    status: transferredStatus,
    events: [...notes, { atMs, actor, kind: 'routed', detail: because }],
    messages: routed?.copies ?? [],
  };
}

function textsOf({ sealer }: ResolveGpParts, { messageId, sealed }: MessageRecord): PrivateTexts {
  return openTexts(sealer, messageId, sealed);
}

/** The message as it is in the inbox of the practice, for copies to be made of. */
function arrived(parts: ResolveGpParts, message: MessageRecord, atMs: number): NewMessage {
  const { messageId, messageType, sender, workflowId, payloadId, compressed, encrypted } = message;
  const { expiresAtMs, hideAtMs, removeAtMs } = lifeDates(atMs, parts.spans);
  const header = { messageId, messageType, sender, recipient: null, workflowId, payloadId, compressed, encrypted };
  const life = { state: 'accepted', status: transferredStatus, createdAtMs: atMs, expiresAtMs } as const;
  return { ...header, ...life, sealed: '', localKey: null, linkedMessageId: null, hideAtMs, removeAtMs, events: [] };
}

function failing(
  parts: ResolveGpParts,
  message: MessageRecord,
  { error, detail }: GpFailure,
  notes: readonly NewEvent[],
): Omit<ResolveCommand, 'registryVersion'> {
  const { messageId, sender, workflowId } = message;
  const atMs = parts.clock.nowMs();
  const { code, event } = errorEntry(error);
  const status = { code, event, description: errorText(error) };
  const texts = failureTexts(readableTexts(parts.sealer, messageId, message.sealed));
  const about = { workflowId, status, about: messageId, texts };
  const facts = { reportId: parts.newMessageId(), atMs, ...about };
  const messages =
    sender === null ? [] : parts.routeReport(makeReport({ ...facts, to: sender }, parts.sealer, parts.spans), texts);
  return {
    ...ending(parts, message, atMs),
    state: 'error',
    recipient: null,
    status,
    expiresAtMs: null,
    events: [...notes, { atMs, actor, kind: 'refused', detail: `${error}: ${detail}` }],
    messages,
  };
}

function ending(parts: ResolveGpParts, { messageId, sealed }: MessageRecord, atMs: number) {
  const { expiresAtMs, keepUntilMs, hideAtMs, removeAtMs } = lifeDates(atMs, parts.spans);
  const kept = withoutAddress(parts, messageId, sealed);
  return { messageId, sealed: kept, atMs, expiresAtMs, keepUntilMs, hideAtMs, removeAtMs };
}

/** What cannot be opened stays as it is until the record is hidden: its key may come back, and nobody can read it before. */
function withoutAddress({ sealer }: ResolveGpParts, messageId: MessageId, sealed: string): string {
  try {
    return sealTexts(sealer, messageId, openTexts(sealer, messageId, sealed));
  } catch (error) {
    if (error instanceof SealFault) return sealed;
    throw error;
  }
}

async function fail(
  parts: ResolveGpParts,
  message: MessageRecord,
  why: GpFailure,
  notes: readonly NewEvent[],
): Promise<Resolution> {
  const done = await parts.resolving.resolve({ ...failing(parts, message, why, notes), registryVersion: null });
  return done.kind === 'resolved' ? { kind: 'failed', error: why.error } : { kind: 'gone' };
}

/**
 * Both numbers go on the audit, as digests under the secret key: whoever holds a number can find where it was used, and
 * nobody can read one there.
 */
async function auditSuperseded(
  { audit, sealer, clock }: ResolveGpParts,
  messageId: MessageId,
  presented: string,
  outcome: TraceOutcome,
): Promise<readonly NewEvent[]> {
  const by = 'supersededBy' in outcome ? outcome.supersededBy : null;
  if (by === null) return [];
  const digest = (number: string): string => sealer.lookupKeys(number, 'nhs-number')[0] ?? '';
  const detail = JSON.stringify({ presented: digest(presented), replacedBy: digest(by) });
  const entry = { atMs: clock.nowMs(), actor, action: 'gp-routing.superseded', subject: messageId, detail };
  await audit.append(entry);
  return [note(clock, 'number-superseded', 'the NHS number was replaced by another, whose record was used')];
}

function note(clock: ServiceClock, kind: string, detail: string): NewEvent {
  return { atMs: clock.nowMs(), actor, kind, detail };
}
