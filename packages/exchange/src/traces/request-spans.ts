import type { MessageId } from '@openmesh/protocol';
import type { RequestFacts } from '../http/machines-door.ts';
import type { Operation } from '../http/operation.ts';
import type { Attributes, Tracer } from './span.ts';
import { readTraceparent } from './traceparent.ts';

interface TracedOperation {
  readonly route: string;
  /** As OpenTelemetry groups operations of messaging. */
  readonly type: 'send' | 'receive' | 'settle';
}

const box = '/messageexchange/{mailbox}';

/** What is done with one message. Listing, counting and looking up are about none. */
const tracedOperations: ReadonlyMap<Operation, TracedOperation> = new Map<Operation, TracedOperation>([
  ['send-message', { route: `${box}/outbox`, type: 'send' }],
  ['send-chunk', { route: `${box}/outbox/{message}/{chunk}`, type: 'send' }],
  ['download-message', { route: `${box}/inbox/{message}`, type: 'receive' }],
  ['download-chunk', { route: `${box}/inbox/{message}/{chunk}`, type: 'receive' }],
  ['head-message', { route: `${box}/inbox/{message}`, type: 'receive' }],
  ['acknowledge', { route: `${box}/inbox/{message}/status/acknowledged`, type: 'settle' }],
]);

/** Messages whose first request is not answered yet: as many as requests are answered at once, and room to spare. */
const beginningsMax = 4096;

export interface RequestSpans {
  /** The request that is being answered has made this message: its span is the message's first. */
  readonly began: (messageId: MessageId, attributes: Attributes) => void;
  readonly finished: (facts: RequestFacts) => void;
}

/** A span for each request that was about a message which exists. */
export function createRequestSpans(tracer: Tracer, nowMs: () => number): RequestSpans {
  const beginnings = new Map<string, Attributes>();
  return {
    began(messageId, attributes) {
      const [oldest] = beginnings.size >= beginningsMax ? beginnings.keys() : [];
      if (oldest !== undefined) beginnings.delete(oldest);
      beginnings.set(messageId, attributes);
    },
    finished(facts) {
      const { operation, status, refusal } = facts;
      const about = facts.messageId;
      const traced = tracedOperations.get(operation);
      // 404: the caller named a message that is not there.
      if (about === null || traced === undefined || status === 404) return;
      const beginning = operation === 'send-message' ? beginnings.get(about) : undefined;
      if (beginning !== undefined) beginnings.delete(about);
      const endMs = nowMs();
      const link = readTraceparent(facts.headers.get('traceparent'));
      tracer({
        about,
        isRoot: beginning !== undefined,
        name: operation,
        kind: 'server',
        startMs: endMs - (performance.now() - facts.startedMs),
        endMs,
        attributes: {
          'messaging.operation.name': operation,
          'messaging.operation.type': traced.type,
          'http.request.method': facts.method,
          'http.route': traced.route,
          'http.response.status_code': status,
          'http.request.body.size': facts.bytesReceived === 0 ? undefined : facts.bytesReceived,
          'http.response.body.size': facts.bytesSent === 0 ? undefined : facts.bytesSent,
          'openmesh.mailbox': facts.mailbox ?? undefined,
          'openmesh.correlation_id': facts.correlationId,
          'error.type': refusal?.reason ?? (status >= 500 ? String(status) : undefined),
          ...beginning,
        },
        links: link === undefined ? [] : [link],
        failed: status >= 500,
      });
    },
  };
}
