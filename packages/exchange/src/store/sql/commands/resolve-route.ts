import type { MessageId } from '@openmesh/protocol';
import type { ResolveCommand, ResolveOutcome, RoutingMessage } from '../../ledger/resolving.ts';
import { all, one, run, type Talk } from '../question.ts';
import { keepPayload, readState } from '../questions/messages.ts';
import * as q from '../questions/resolving.ts';
import { appendEvent } from './timeline.ts';
import { deliver, insertMessage, staleVersion } from './write-messages.ts';

/** Ends the wait of a message for its address, along `routing` to `accepted` or `error`. */
export function* resolveRoute(command: ResolveCommand): Talk<ResolveOutcome> {
  const { messageId, state, recipient, status, sealed, atMs, expiresAtMs } = command;
  const version = yield* staleVersion(command.registryVersion);
  if (version !== null) return { kind: 'stale', version };
  const message = yield* one(readState, messageId);
  if (message === undefined) return { kind: 'not-found' };
  if (message.state !== 'routing') return { kind: 'unchanged' };
  const words = [status.code, status.event, status.description] as const;
  yield* run(
    q.resolveMessage,
    messageId,
    state,
    recipient,
    ...words,
    sealed,
    atMs,
    command.hideAtMs,
    command.removeAtMs,
  );
  for (const event of command.events) yield* appendEvent(messageId, event);
  if (message.payloadId !== null) yield* run(keepPayload, message.payloadId, command.keepUntilMs);
  if (state === 'accepted' && recipient !== null && expiresAtMs !== null) {
    yield* deliver(recipient, messageId, message.workflowId, expiresAtMs);
  }
  for (const made of command.messages) yield* insertMessage(made);
  return { kind: 'resolved' };
}

export function* messagesRouting(query: {
  after: { createdAtMs: number; messageId: MessageId } | null;
  limit: number;
}): Talk<readonly RoutingMessage[]> {
  const { createdAtMs, messageId } = query.after ?? { createdAtMs: -1, messageId: '' };
  const rows = yield* all(q.listRouting, createdAtMs, messageId, query.limit);
  return rows.map((row) => ({ ...row, messageId: row.messageId as MessageId }));
}
