import { errorEntry, errorNames, errorText, type MailboxId, type MessageId } from '@openmesh/protocol';
import type { MessageLedger, StatusFacts } from '../store/ledger/messages.ts';
import type { PrivateTexts, TextSealer } from './private-texts.ts';
import { makeReport, nonDeliveryTexts } from './report.ts';
import type { RouteReport } from './route-report.ts';
import type { LifeSpans, ServiceClock } from './service-clock.ts';

/** A report that somebody asks for, instead of one that a message's life brings about. */
export interface ReportRequest {
  readonly to: MailboxId;
  readonly workflowId: string;
  readonly kind: 'undeliverable' | 'error';
  readonly code: string;
  readonly description: string;
  readonly subject: string | undefined;
  readonly localId: string | undefined;
  readonly fileName: string | undefined;
  readonly about: MessageId | null;
}

export interface ReportByHandParts {
  readonly ledger: Pick<MessageLedger, 'accept'>;
  readonly sealer: TextSealer;
  readonly clock: ServiceClock;
  readonly routeReport: RouteReport;
  readonly newMessageId: () => MessageId;
  readonly spans: LifeSpans;
  readonly inboxExpiryDays: number;
}

/**
 * Puts a report in a mailbox. One of kind 'undeliverable' is the non-delivery report whatever code, description and file
 * name were given, as in the official sandbox; one of kind 'error' carries them.
 */
export function createReportByHand(parts: ReportByHandParts): (request: ReportRequest) => Promise<MessageId> {
  const { ledger, sealer, clock, spans, inboxExpiryDays } = parts;
  return async (request) => {
    const { to, workflowId, kind, about, subject, localId, fileName } = request;
    const texts: PrivateTexts =
      kind === 'undeliverable' ? nonDeliveryTexts({ subject, localId }) : { subject, localId, fileName };
    const status = kind === 'undeliverable' ? notCollected(inboxExpiryDays) : given(request);
    const reportId = parts.newMessageId();
    const facts = { reportId, atMs: clock.nowMs(), to, workflowId, status, about, texts };
    const messages = parts.routeReport(makeReport(facts, sealer, spans), texts);
    await ledger.accept({ nonce: null, idempotency: null, registryVersion: null, payload: null, messages });
    return reportId;
  };
}

function notCollected(days: number): StatusFacts {
  const { code, event } = errorEntry('not-collected');
  return { code, event, description: errorText('not-collected', { days }) };
}

/** The event that belongs to a code of the catalogue; of any other, that of a send. */
function given({ code, description }: ReportRequest): StatusFacts {
  const known = errorNames.map((name) => errorEntry(name)).find((entry) => entry.code === code && entry.event !== '');
  return { code, event: known?.event ?? 'SEND', description };
}
