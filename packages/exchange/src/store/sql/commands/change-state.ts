import type { StoredState } from '../../ledger/message-records.ts';
import type { ChangeStateCommand, ChangeStateOutcome } from '../../ledger/messages.ts';
import { one, run, type Talk } from '../question.ts';
import * as q from '../questions/messages.ts';
import { appendEvent } from './timeline.ts';
import { deliver, insertMessage, withdraw } from './write-messages.ts';

/** Pushes the date of a payload on; false when its bytes are deleted, and nothing keeps them. */
function* keepBytes(payloadId: string, untilMs: number): Talk<boolean> {
  yield* run(q.keepPayload, payloadId, untilMs);
  return (yield* one(q.findKeptPayload, payloadId)) !== undefined;
}

export function* changeState(command: ChangeStateCommand): Talk<ChangeStateOutcome> {
  const { messageId, status, atMs } = command;
  const message = yield* one(q.readState, messageId);
  if (message === undefined) return { kind: 'not-found' };
  if (!command.from.includes(message.state as StoredState)) return { kind: 'unchanged' };
  const { recipient, expiresAtMs } = message;
  if (command.onlyIfDueAtMs !== null && recipient !== null) {
    if (expiresAtMs === null || expiresAtMs > command.onlyIfDueAtMs) return { kind: 'unchanged' };
  }
  if (command.to === 'accepted' && command.expiresAtMs !== null && message.payloadId !== null) {
    if (!(yield* keepBytes(message.payloadId, command.expiresAtMs))) return { kind: 'gone' };
  }
  yield* run(
    q.changeState,
    messageId,
    command.to,
    status.code,
    status.event,
    status.description,
    atMs,
    command.linkedMessageId,
  );
  if (recipient !== null && message.state !== command.to) yield* moveDelivery(command, { ...message, recipient });
  yield* appendEvent(messageId, command.event);
  if (command.report !== null) yield* insertMessage(command.report);
  for (const copy of command.reportCopies ?? []) yield* insertMessage(copy);
  return { kind: 'changed' };
}

/** Takes the entry out of the inbox, or puts the message back at its end. */
function* moveDelivery(
  { messageId, to, atMs, expiresAtMs }: ChangeStateCommand,
  message: q.StateRow & { readonly recipient: string },
): Talk<void> {
  const { recipient, position, workflowId } = message;
  const ended = yield* withdraw(recipient, position);
  if (ended && to === 'acknowledged') yield* run(q.setAcknowledgedAt, messageId, atMs);
  if (to !== 'accepted' || expiresAtMs === null) return;
  yield* deliver(recipient, messageId, workflowId, expiresAtMs);
  yield* run(q.keepMessage, messageId, expiresAtMs);
}
