import { channel } from 'node:diagnostics_channel';
import type { TLSSocket } from 'node:tls';
import {
  type ErrorName,
  type MailboxId,
  type MessageId,
  negotiateVersion,
  parseMailboxId,
  wireError,
} from '@openmesh/protocol';
import { reply as toReply } from '../api/machines/request.ts';
import type { Router } from '../api/machines/routes.ts';
import { BodyAborted } from '../message/incoming-body.ts';
import { RegistryTooBusy } from '../message/route.ts';
import { type AdmissionParts, createAdmission } from './admit.ts';
import type { Ending } from './ending.ts';
import type { Operation } from './operation.ts';
import { CallerGone } from './wire/caller-gone.ts';
import type { WireRequest } from './wire/connection.ts';
import { writeReply } from './write-reply.ts';

/** What became of a request, for the log, the metrics and the record of refusals. */
export interface RequestFacts {
  readonly operation: Operation;
  readonly method: string;
  /** 499 when the caller went away before an answer was ready. */
  readonly status: number;
  readonly startedMs: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly correlationId: string;
  readonly socket: TLSSocket;
  /** As claimed by the path, canonical; null where the path names none. */
  readonly mailbox: MailboxId | null;
  readonly refusal: Ending['refusal'];
  readonly messageId: MessageId | null;
  /** As the caller wrote them: nothing of them may be passed on unread. */
  readonly headers: ReadonlyMap<string, string>;
}

export interface DoorParts extends AdmissionParts {
  readonly route: Router;
  readonly newCorrelationId: () => string;
  /** 0 while the exchange is stopping. */
  readonly keepAliveSeconds: () => number;
  readonly drainBytesMax: number;
  readonly done: (facts: RequestFacts) => void;
  readonly failed: (error: unknown, correlationId: string) => void;
}

const callerGoneStatus = 499;
const noQuery = new URLSearchParams();

/** Where a test makes the process die: costs nothing while nobody listens. */
const beforeAnswer = channel('openmesh:before-answer');

/** Takes every request of the machines' listener from its first header to its last byte; never rejects. */
export function createMachinesDoor(parts: DoorParts): (request: WireRequest) => Promise<void> {
  const admit = createAdmission(parts);

  const write = async (request: WireRequest, ending: Ending): Promise<number> => {
    const drained = !ending.drain || (await request.body.drain(parts.drainBytesMax));
    return writeReply(request, ending.reply, { keepAliveSeconds: drained ? parts.keepAliveSeconds() : 0 });
  };

  return async (request) => {
    const startedMs = performance.now();
    const correlationId = parts.newCorrelationId();
    const { method, target, headers } = request.head;
    const queryAt = target.indexOf('?');
    const matched = parts.route(queryAt < 0 ? target : target.slice(0, queryAt));
    const operation = matched?.operations.get(method);
    const mailbox = matched?.mailbox === undefined ? undefined : parseMailboxId(matched.mailbox);
    const query = queryAt < 0 ? noQuery : new URLSearchParams(target.slice(queryAt + 1));
    let bytesSent = 0;
    let ending: Ending | undefined;
    try {
      ending = await admit({ request, matched, operation, mailbox, query });
      beforeAnswer.publish(undefined);
      bytesSent = await write(request, ending);
    } catch (error) {
      if (error instanceof CallerGone || error instanceof BodyAborted) request.connection.abort();
      else {
        parts.failed(error, correlationId);
        ending = await answerFailure(error, correlationId, request, write);
      }
    }
    // What an operation had no use for is dropped here, or the connection with it.
    if (request.body.arrived) request.connection.finish(true);
    else request.connection.finish(await request.body.drain(parts.drainBytesMax));
    parts.done({
      operation: operation?.name ?? 'unmatched',
      method,
      status: ending?.reply.status ?? callerGoneStatus,
      startedMs,
      bytesSent,
      bytesReceived: request.body.arrivedBytes,
      correlationId,
      socket: request.connection.socket,
      mailbox: mailbox ?? null,
      refusal: ending?.refusal ?? null,
      messageId: ending?.messageId ?? null,
      headers,
    });
  };
}

/** An answer already begun cannot be taken back: the connection ends before its announced length, so nobody trusts it. */
async function answerFailure(
  error: unknown,
  correlationId: string,
  request: WireRequest,
  write: (request: WireRequest, ending: Ending) => Promise<number>,
): Promise<Ending> {
  const version = negotiateVersion(request.head.headers.get('accept')) === 2 ? 2 : 1;
  const answered = wireError(errorNameOf(error), version, { internalId: correlationId });
  const reply = toReply(answered);
  const waits = answered.status === 503 ? [['retry-after', retryAfterSeconds] as const] : [];
  const ending: Ending = {
    reply: { ...reply, headers: [...reply.headers, ...waits] },
    refusal: null,
    messageId: null,
    drain: true,
  };
  if (request.connection.headSent) {
    request.connection.abort();
    return ending;
  }
  try {
    await write(request, ending);
  } catch {
    request.connection.abort();
  }
  return ending;
}

const retryAfterSeconds = '5';

/** What an exception means to the caller: ours to mend, or to be tried again. */
function errorNameOf(error: unknown): ErrorName {
  if (error instanceof RegistryTooBusy) return 'service-unavailable';
  const kind = (error as { kind?: unknown } | null)?.kind;
  switch (kind) {
    case 'full':
    case 'disk-full':
      return 'storage-unavailable';
    case 'unavailable':
    case 'busy':
    case 'io':
      return 'service-unavailable';
    // A broken ledger does not know what it kept: 503 would tell callers that nothing happened, and theirs is to repeat.
    case 'broken':
    default:
      return 'internal-error';
  }
}
