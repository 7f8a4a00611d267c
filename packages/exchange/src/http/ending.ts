import { failureStatus, type MessageId, type WireAnswer, wireError, wireFailure } from '@openmesh/protocol';
import { type Reply, reply as toReply } from '../api/machines/request.ts';
import type { Matched } from '../api/machines/routes.ts';
import type { Refused } from '../message/refused.ts';

/** How a request ended, before its answer is written. */
export interface Ending {
  readonly reply: Reply;
  /** For the record of refusals; null when the request was served. */
  readonly refusal: { readonly reason: string; readonly detail: string } | null;
  /** The message it was about, where that exists. */
  readonly messageId: MessageId | null;
  /** Read the rest of the body before answering. */
  readonly drain: boolean;
}

/** An operation's own answer, or its refusal in the words of the wire. */
export function ended(outcome: Reply | Refused, version: 1 | 2): Ending {
  if (outcome.kind !== 'refused')
    return { reply: outcome, refusal: null, messageId: outcome.messageId ?? null, drain: false };
  const { failure, detail, messageId } = outcome;
  const reason = failure.kind === 'error' ? failure.name : 'validation';
  const answered = wireFailure(failure, version, { messageId: messageIdOnWire(failure, messageId) });
  return { ...refusal(answered, reason, exactly(detail, failure)), messageId: messageId ?? null };
}

/** Fields named in one record of a refusal. */
const fieldsNamedMax = 5;

/** Headers and parameters that were refused are named: by names of ours, and without what the caller wrote in them. */
function exactly(detail: string, failure: Refused['failure']): string {
  if (failure.kind === 'error') return detail;
  const fields = failure.details.filter(({ loc: [part] }) => part !== 'body').slice(0, fieldsNamedMax);
  if (fields.length === 0) return detail;
  return `${detail}: ${fields.map(({ loc, type }) => `${loc.join(' ')} (${type})`).join(', ')}`;
}

/** A refusal of the kind that must not tell whether a message exists names none. */
function messageIdOnWire(failure: Refused['failure'], messageId: Refused['messageId']): Refused['messageId'] {
  const status = failureStatus(failure);
  return status === 403 || status === 404 || status === 410 ? undefined : messageId;
}

export function refusal(answered: WireAnswer, reason: string, detail: string): Ending {
  return { reply: toReply(answered), refusal: { reason, detail }, messageId: null, drain: true };
}

export function duplicate(version: 1 | 2, detail: string): Ending {
  return refusal(wireError('duplicate-token', version), 'nonce-used', detail);
}

export function usedDetail(seenAtMs: number): string {
  return `the nonce was used at ${new Date(seenAtMs).toISOString()}`;
}

export function wrongMethod(matched: Matched, version: 1 | 2): Ending {
  const allowed = [...matched.operations.keys()].join(', ');
  const ending = refusal(wireError('method-not-allowed', version), 'method-not-allowed', `allowed: ${allowed}`);
  return { ...ending, reply: { ...ending.reply, headers: [...ending.reply.headers, ['allow', allowed]] } };
}

export function tooMany(seconds: number, requestsPerSecond: number, version: 1 | 2): Ending {
  const answered = wireError('too-many-requests', version, { parameters: { requestsPerSecond, seconds } });
  const ending = refusal(answered, 'throttled', `told to wait ${seconds} s`);
  return {
    ...ending,
    reply: { ...ending.reply, headers: [...ending.reply.headers, ['retry-after', String(seconds)]] },
  };
}
