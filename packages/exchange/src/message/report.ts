import type { MailboxId, MessageId } from '@openmesh/protocol';
import type { NewMessage, StatusFacts } from '../store/ledger/messages.ts';
import { type PrivateTexts, sealTexts, type TextSealer } from './private-texts.ts';
import { type LifeSpans, lifeDates } from './service-clock.ts';

export interface ReportFacts {
  readonly reportId: MessageId;
  readonly atMs: number;
  /** The mailbox that is told: the sender of the message the report is about. */
  readonly to: MailboxId;
  readonly workflowId: string;
  readonly status: StatusFacts;
  /** null for a report made by hand that is about no message we know. */
  readonly about: MessageId | null;
  readonly texts: PrivateTexts;
}

/**
 * A report: an ordinary message without a body, listed, counted, downloaded and acknowledged like any other, which
 * expires silently. Its delivery is its own row, so a failed report never re-opens the original.
 */
export function makeReport(facts: ReportFacts, sealer: TextSealer, spans: LifeSpans): NewMessage {
  const { reportId, atMs, to, status, texts } = facts;
  const { expiresAtMs, hideAtMs, removeAtMs } = lifeDates(atMs, spans);
  const { localId } = texts;
  return {
    messageId: reportId,
    messageType: 'REPORT',
    sender: null,
    recipient: to,
    workflowId: facts.workflowId,
    payloadId: null,
    state: 'accepted',
    status,
    compressed: false,
    encrypted: false,
    sealed: sealTexts(sealer, reportId, texts),
    localKey: localId === undefined ? null : (sealer.lookupKeys(localId, `local-id:${to}`)[0] ?? null),
    linkedMessageId: facts.about,
    createdAtMs: atMs,
    expiresAtMs,
    hideAtMs,
    removeAtMs,
    events: [{ atMs, actor: 'exchange', kind: 'reported', detail: status.code }],
  };
}

/** Texts of a non-delivery report: the subject says what it is, in front of the original's. */
export function nonDeliveryTexts(original: PrivateTexts): PrivateTexts {
  const subject = original.subject === undefined ? 'NDR' : `NDR: ${original.subject}`;
  return { subject, localId: original.localId };
}

/** Texts of any other report: the subject unchanged. */
export function failureTexts(original: PrivateTexts): PrivateTexts {
  return { subject: original.subject, localId: original.localId };
}
