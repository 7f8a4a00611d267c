import { type ErrorName, errorEntry, errorText, type MailboxId, type MessageId } from '@openmesh/protocol';
import type { MessageRecord } from '../store/ledger/message-records.ts';
import type {
  ChangeStateCommand,
  ChangeStateOutcome,
  MessageLedger,
  NewMessage,
  StatusFacts,
} from '../store/ledger/messages.ts';
import { transferredStatus } from './lifecycle.ts';
import { readableTexts, type TextSealer } from './private-texts.ts';
import { failureTexts, makeReport, nonDeliveryTexts } from './report.ts';
import type { RouteReport } from './route-report.ts';
import type { LifeSpans, ServiceClock } from './service-clock.ts';

/** An operator's hand on a message; a status without code, event and description is filled in. */
export interface HandCommand {
  readonly messageId: MessageId;
  readonly to: 'accepted' | 'undeliverable' | 'error' | 'acknowledged' | 'uploading';
  readonly status: StatusFacts;
  readonly actor: string;
  readonly linkedMessageId: MessageId | null;
}

export interface ExpireParts {
  readonly ledger: Pick<MessageLedger, 'find' | 'changeState'>;
  readonly sealer: TextSealer;
  readonly clock: ServiceClock;
  readonly routeReport: RouteReport;
  readonly newMessageId: () => MessageId;
  readonly spans: LifeSpans;
  readonly inboxExpiryDays: number;
  /** Whether the recipient's mailbox still takes messages: it decides the words of the report. */
  readonly isActive: (mailbox: MailboxId) => boolean;
}

export interface Expire {
  /** Withdraws a message whose days are over and reports it to its sender; a report expires silently. */
  overdue(messageId: MessageId): Promise<void>;
  /** Ends an upload that was begun and never finished: status error, and a report. */
  abandoned(messageId: MessageId): Promise<void>;
  /**
   * Back to the end of the inbox with a new five days, or withdrawn; no report is made. 'gone': its bytes are deleted or it has no
   * recipient, so that it cannot be put back.
   */
  byHand(command: HandCommand): Promise<ChangeStateOutcome['kind']>;
}

/** The report of a message's end, as rules make it; nothing for whom nobody is to be told about. */
function reportOn(
  { sealer, spans, newMessageId, routeReport }: ExpireParts,
  message: MessageRecord,
  status: StatusFacts,
  atMs: number,
  isNdr: boolean,
): readonly NewMessage[] {
  // The sender of a message knows nothing of its copies.
  if (message.sender === null || message.messageType === 'REPORT' || message.madeAs === 'copy') return [];
  // Texts that a damaged disk changed must not keep its sender, or the sender of any other message, from being told.
  const original = readableTexts(sealer, message.messageId, message.sealed);
  const texts = isNdr ? nonDeliveryTexts(original) : failureTexts(original);
  const { sender: to, workflowId, messageId: about } = message;
  const facts = { reportId: newMessageId(), atMs, to, workflowId, status, about, texts };
  return routeReport(makeReport(facts, sealer, spans), texts);
}

export function createExpire(parts: ExpireParts): Expire {
  const { ledger, clock, spans } = parts;

  const statusOf = (name: ErrorName): StatusFacts => {
    const { event, code } = errorEntry(name);
    return { event, code, description: errorText(name, { days: parts.inboxExpiryDays }) };
  };

  const end = async (
    message: MessageRecord,
    wanted: Pick<ChangeStateCommand, 'from' | 'to' | 'status'>,
  ): Promise<void> => {
    const atMs = clock.nowMs();
    const isNdr = wanted.to === 'undeliverable';
    const { code, description } = wanted.status;
    const [report = null, ...reportCopies] = reportOn(parts, message, wanted.status, atMs, isNdr);
    await ledger.changeState({
      messageId: message.messageId,
      ...wanted,
      atMs,
      event: { atMs, actor: 'exchange', kind: isNdr ? 'expired' : 'abandoned', detail: `${code}: ${description}` },
      expiresAtMs: null,
      onlyIfDueAtMs: isNdr ? atMs : null,
      linkedMessageId: null,
      report,
      reportCopies,
    });
  };

  return {
    async overdue(messageId) {
      const message = await ledger.find(messageId);
      if (message === null || message.recipient === null) return;
      const active = parts.isActive(message.recipient);
      const status = statusOf(active ? 'not-collected' : 'not-collected-mailbox-deactivated');
      await end(message, { from: ['accepted'], to: 'undeliverable', status });
    },
    async abandoned(messageId) {
      const message = await ledger.find(messageId);
      if (message === null) return;
      await end(message, { from: ['uploading'], to: 'error', status: statusOf('missing-data') });
    },
    async byHand({ messageId, to, status, actor, linkedMessageId }) {
      const atMs = clock.nowMs();
      const message = await ledger.find(messageId);
      if (message === null || message.hideAtMs <= atMs) return 'not-found';
      // Without a recipient there is no inbox it could be put into: its address is not resolved, or never was.
      if (to === 'accepted' && (message.payloadDeleted || message.recipient === null)) return 'gone';
      const outcome = await ledger.changeState({
        messageId,
        from: ['uploading', 'routing', 'accepted', 'acknowledged', 'undeliverable', 'error'],
        to,
        status: statusByHand(message, to, status),
        atMs,
        event: { atMs, actor, kind: `set-${to}`, detail: status.code },
        expiresAtMs: to === 'accepted' ? atMs + spans.inboxExpiryMs : null,
        onlyIfDueAtMs: null,
        linkedMessageId,
        report: null,
      });
      return outcome.kind;
    },
  };
}

/** What a hand says counts; where it says nothing, a report keeps what it reports and data that arrived says so. */
function statusByHand(message: MessageRecord, to: HandCommand['to'], given: StatusFacts): StatusFacts {
  if (given.code !== '' || given.event !== '' || given.description !== '') return given;
  if (message.messageType === 'REPORT') {
    const { statusCode: code, statusEvent: event, statusDescription: description } = message;
    return { code, event, description };
  }
  return to === 'accepted' || to === 'acknowledged' ? transferredStatus : given;
}
