import { type MessageId, parseMessageId } from '@openmesh/protocol';
import type { StoredState } from '../store/ledger/message-records.ts';
import type { AcceptCommand, AddChunkCommand, ChangeStateCommand, NewMessage } from '../store/ledger/messages.ts';
import type { ResolveCommand } from '../store/ledger/resolving.ts';
import type { RoutingFacts } from '../store/ledger/routing-records.ts';
import { type Attributes, rootOf, type Tracer } from './span.ts';

export interface CommitSpansParts {
  readonly tracer: Tracer;
  /** A request has brought a message into being, whose first span is to be the request's. */
  readonly began: (messageId: MessageId, attributes: Attributes) => void;
  /** A workflow's id when it is registered: of any other it is a text that a caller made up. */
  readonly workflowOf: (workflowId: string) => string | undefined;
}

/** When a commit was asked for, and when it was there. Machine clock, milliseconds. */
export interface Took {
  readonly startMs: number;
  readonly endMs: number;
}

const internal = { kind: 'internal' } as const;

/** What each command of the ledger that did something did to which messages. */
export function createCommitSpans(parts: CommitSpansParts) {
  const { tracer, began } = parts;

  const madeOf = (messages: readonly (NewMessage | null)[], took: Took): void => {
    for (const message of messages) if (message !== null) made(parts, message, took);
  };

  return {
    accepted({ messages, payload }: AcceptCommand, took: Took): void {
      for (const message of messages) {
        const { messageId, messageType, routing, status } = message;
        if (messageType === 'REPORT' || (routing !== undefined && routing.made !== null)) {
          made(parts, message, took);
          continue;
        }
        began(messageId, { ...partiesOf(parts, message), 'openmesh.chunks': payload?.totalChunks });
        routed(tracer, messageId, { ...message, routing, code: status.code }, took);
      }
    },

    completed({ messageId, completion }: AddChunkCommand, took: Took): void {
      const { state, status, report, reportCopies = [] } = completion;
      const { recipient = null, routing, copies = [] } = completion.routed ?? {};
      routed(tracer, messageId, { recipient, routing, state, code: status.code }, took);
      madeOf([report, ...reportCopies, ...copies], took);
    },

    changed({ messageId, event, to, status, report, reportCopies = [] }: ChangeStateCommand, took: Took): void {
      const failed = to === 'undeliverable' || to === 'error';
      const attributes = { 'openmesh.state': to, 'error.type': failed ? status.code : undefined };
      // The kinds of events are words of ours: expired, abandoned, set-accepted, …
      tracer({ about: messageId, name: event.kind, ...internal, ...took, attributes, failed });
      madeOf([report, ...reportCopies], took);
    },

    resolved({ messageId, recipient, routing, state, status, messages }: ResolveCommand, took: Took): void {
      routed(tracer, messageId, { recipient, routing, state, code: status.code }, took);
      madeOf(messages, took);
    },

    /** The one event that is written by itself: bytes at rest were found to be damaged. */
    noted(about: MessageId, name: string, took: Took): void {
      tracer({ about, name, ...internal, ...took, attributes: {}, failed: true });
    },

    /** A payload has the id of the message that brought it. */
    bodiesDeleted(payloadIds: readonly string[], took: Took): void {
      for (const payloadId of payloadIds) {
        const about = parseMessageId(payloadId);
        if (about !== undefined) tracer({ about, name: 'delete-body', ...internal, ...took, attributes: {} });
      }
    },
  };
}

function partiesOf({ workflowOf }: CommitSpansParts, { sender, recipient, workflowId }: NewMessage): Attributes {
  return {
    'openmesh.sender': sender ?? undefined,
    'messaging.destination.name': recipient ?? undefined,
    'openmesh.workflow_id': workflowOf(workflowId),
  };
}

interface Routed {
  readonly recipient: string | null;
  readonly routing?: RoutingFacts | undefined;
  readonly state: StoredState;
  readonly code: string;
}

/** Where a message went, or that it goes nowhere; nothing while that is not yet decided. */
function routed(tracer: Tracer, about: MessageId, { recipient, routing, state, code }: Routed, took: Took): void {
  if (state !== 'accepted' && state !== 'error') return;
  const rules = routing?.steps.map(({ kind, ruleId, ruleVersion }) => `${kind} ${ruleId}/${ruleVersion}`) ?? [];
  const failed = state === 'error';
  const attributes = {
    'messaging.destination.name': recipient ?? undefined,
    'openmesh.addressed_to': routing?.addressedTo ?? undefined,
    'openmesh.rules': rules.length === 0 ? undefined : rules,
    'openmesh.state': state,
    'error.type': failed ? code : undefined,
  };
  tracer({ about, name: 'route', ...internal, ...took, attributes, failed });
}

/** A copy, a resend or a report: the first span of its own trace, and one in that of what it was made from. */
function made(parts: CommitSpansParts, message: NewMessage, took: Took): void {
  const { messageId, recipient, routing, linkedMessageId, status } = message;
  const from = routing?.made?.from ?? linkedMessageId;
  const name = routing?.made?.as ?? 'report';
  const code = name === 'report' ? { 'openmesh.status_code': status.code } : {};
  const rest = { name, ...internal, ...took };
  const own = { ...partiesOf(parts, message), ...code, 'openmesh.made_from': from ?? undefined };
  const links = from === null ? [] : [rootOf(from)];
  parts.tracer({ about: messageId, isRoot: true, ...rest, attributes: own, links });
  if (from === null) return;
  const attributes = { ...code, 'openmesh.made': messageId, 'messaging.destination.name': recipient ?? undefined };
  parts.tracer({ about: from, ...rest, attributes, links: [rootOf(messageId)] });
}
