import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import {
  acceptsGzip,
  type ErrorName,
  failureStatus,
  type MailboxId,
  negotiateVersion,
  parseMailboxId,
  type WireAnswer,
  wireError,
  wireFailure,
} from '@openmesh/protocol';
import {
  type CallerRequest,
  type MachineOperation,
  type MachineRequest,
  type Reply,
  reply as toReply,
} from '../api/machines/request.ts';
import type { Matched, Router } from '../api/machines/routes.ts';
import { BodyAborted } from '../message/incoming-body.ts';
import type { Refused } from '../message/refused.ts';
import type { NonceClaim, NonceLedger } from '../store/ledger/nonces.ts';
import type { Throttle } from './auth/throttle.ts';
import type { CallerVerdict, CertificateObjection, TokenCheck } from './auth/token-check.ts';
import { drain, incomingBody } from './incoming-body.ts';
import type { Operation } from './operation.ts';
import { CallerGone, writeReply } from './write-reply.ts';

/** What became of a request, for the log, the metrics and the record of refusals. */
export interface RequestFacts {
  readonly operation: Operation;
  readonly method: string;
  readonly status: number;
  readonly startedMs: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly correlationId: string;
  readonly socket: TLSSocket;
  /** As claimed by the path, canonical; null where the path names none. */
  readonly mailbox: MailboxId | null;
  readonly refusal: { readonly reason: string; readonly detail: string } | null;
  readonly messageId: string | null;
}

export interface DoorParts {
  readonly route: Router;
  readonly checkToken: TokenCheck;
  /** What the connection's certificate has against any request at all, and then against a mailbox. */
  readonly objectionOf: (socket: TLSSocket) => {
    readonly always: { reason: string; detail: string; status: 400 | 403 } | undefined;
    readonly forMailbox: CertificateObjection;
  };
  readonly nonces: NonceLedger;
  readonly mailboxThrottle: Throttle;
  readonly addressThrottle: Throttle;
  readonly machineClock: { nowMs(): number };
  readonly newCorrelationId: () => string;
  readonly keepAliveSeconds: () => number;
  readonly drainBytesMax: number;
  readonly done: (facts: RequestFacts) => void;
  readonly failed: (error: unknown, correlationId: string) => void;
}

/** How a request ended before it was written. */
interface Ending {
  readonly reply: Reply;
  readonly refusal: RequestFacts['refusal'];
  readonly messageId: string | null;
  /** Read the rest of the body before answering. */
  readonly drain: boolean;
}

const noObjections: CertificateObjection = () => undefined;

/** Takes every request of the machines' listener from its first header to its last byte; never rejects. */
export function createMachinesDoor(
  parts: DoorParts,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const inFlight = new Set<string>();

  return async (request, response) => {
    const startedMs = performance.now();
    const correlationId = parts.newCorrelationId();
    const method = request.method ?? '';
    const url = request.url ?? '/';
    const queryAt = url.indexOf('?');
    const matched = parts.route(queryAt < 0 ? url : url.slice(0, queryAt));
    const operation = matched?.operations[method];
    const mailbox = matched?.mailbox === undefined ? undefined : parseMailboxId(matched.mailbox);
    const query = new URLSearchParams(queryAt < 0 ? '' : url.slice(queryAt + 1));
    let bytesSent = 0;
    let ending: Ending | undefined;
    try {
      ending = await answer({ request, matched, operation, mailbox, query, correlationId });
      const drained = !ending.drain || (await drain(request, parts.drainBytesMax));
      const keepAliveSeconds = drained ? parts.keepAliveSeconds() : 0;
      bytesSent = await writeReply(response, ending.reply, { keepAliveSeconds });
      if (!drained) request.destroy();
    } catch (error) {
      if (!(error instanceof CallerGone) && !(error instanceof BodyAborted)) parts.failed(error, correlationId);
      if (response.headersSent) response.destroy();
      else if (error instanceof BodyAborted) request.destroy();
      else {
        ending = await failure(error, request, correlationId);
        await writeReply(response, ending.reply, { keepAliveSeconds: parts.keepAliveSeconds() }).catch(() => 0);
      }
    }
    parts.done({
      operation: operation?.name ?? 'unmatched',
      method,
      status: ending?.reply.status ?? 499,
      startedMs,
      bytesSent,
      bytesReceived: Number(request.headers['content-length'] ?? 0) || 0,
      correlationId,
      socket: request.socket as TLSSocket,
      mailbox: mailbox ?? null,
      refusal: ending?.refusal ?? null,
      messageId: ending?.messageId ?? null,
    });
  };

  interface Arrival {
    readonly request: IncomingMessage;
    readonly matched: Matched | undefined;
    readonly operation: MachineOperation | undefined;
    readonly mailbox: MailboxId | undefined;
    readonly query: URLSearchParams;
    readonly correlationId: string;
  }

  async function answer(arrival: Arrival): Promise<Ending> {
    const { request, matched, operation, mailbox } = arrival;
    const accepted = negotiateVersion(request.headers.accept);
    const version = accepted === 'malformed' ? 1 : accepted;
    const socket = request.socket as TLSSocket;
    const objections = parts.objectionOf(socket);
    if (objections.always !== undefined) {
      const { reason, detail, status } = objections.always;
      const name = status === 400 ? 'malformed-request' : 'invalid-token';
      return refusal(wireError(name, version), reason, detail);
    }
    if (matched === undefined) return refusal(wireError('not-found', version), 'path-unknown', 'no such address');
    if (operation === undefined) return wrongMethod(matched, version);
    const open = operation.access === 'open';
    const throttle = open ? parts.addressThrottle : parts.mailboxThrottle;
    let verdict: CallerVerdict | undefined;
    if (!open) {
      if (mailbox === undefined)
        return refusal(
          wireError('token-mailbox-mismatch', version),
          'mailbox-unreadable',
          'the path has no mailbox id',
        );
      verdict = parts.checkToken(request.headers.authorization, mailbox, objections.forMailbox ?? noObjections);
      if (!verdict.ok) return refusal(wireError(verdict.error, version), verdict.reason, verdict.detail);
    }
    const waitSeconds = throttle.take(mailbox ?? socket.remoteAddress ?? '', parts.machineClock.nowMs());
    if (waitSeconds > 0) return tooMany(waitSeconds, throttle.perSecond, version);
    if (accepted === 'malformed') {
      return refusal(wireError('accept-malformed', 1), 'accept-malformed', 'the Accept header names no version');
    }
    const machineRequest: MachineRequest = {
      version,
      params: matched.params,
      query: arrival.query,
      header: (name) => request.headers[name] as string | undefined,
      body: incomingBody(request),
      acceptsGzip: acceptsGzip(request.headers['accept-encoding'] as string | undefined),
    };
    if (operation.access === 'open') return ended(await operation.handle(machineRequest), version);
    if (verdict === undefined || !verdict.ok) throw new Error('a caller came through without a verdict');
    const callerRequest = { ...machineRequest, mailbox: verdict.mailbox.mailboxId, nonce: verdict.nonce };
    return once(verdict.nonce, version, () => handled(operation, callerRequest));
  }

  /** Two requests with one token at the same time: the second is refused before it does anything. */
  async function once(nonce: NonceClaim | null, version: 1 | 2, act: () => Promise<Ending>): Promise<Ending> {
    if (nonce === null) return act();
    const key = `${nonce.mailbox} ${nonce.nonce}`;
    if (inFlight.has(key)) return duplicate(version, 'the token is in use by another request right now');
    inFlight.add(key);
    try {
      return await act();
    } finally {
      inFlight.delete(key);
    }
  }

  async function handled(
    operation: Exclude<MachineOperation, { access: 'open' }>,
    request: CallerRequest,
  ): Promise<Ending> {
    const { version, nonce } = request;
    const outcome = await operation.handle(request);
    if (outcome.kind === 'nonce-used') return duplicate(version, usedDetail(outcome.seenAtMs));
    if (operation.commitsNonce || nonce === null || outcome.kind === 'refused') return ended(outcome, version);
    const claim = await parts.nonces.claim(nonce);
    return claim.kind === 'claimed' ? ended(outcome, version) : duplicate(version, usedDetail(claim.seenAtMs));
  }

  async function failure(error: unknown, request: IncomingMessage, correlationId: string): Promise<Ending> {
    const name = errorNameOf(error);
    const accepted = negotiateVersion(request.headers.accept);
    await drain(request, parts.drainBytesMax).catch(() => false);
    const answered = wireError(name, accepted === 2 ? 2 : 1, { internalId: correlationId });
    const waits: readonly [string, string][] = answered.status === 503 ? [['retry-after', '5']] : [];
    const reply = toReply(answered);
    return {
      reply: { ...reply, headers: [...reply.headers, ...waits] },
      refusal: null,
      messageId: null,
      drain: false,
    };
  }
}

function ended(outcome: Reply | Refused, version: 1 | 2): Ending {
  if (outcome.kind !== 'refused') return { reply: outcome, refusal: null, messageId: null, drain: false };
  const { failure, detail, messageId } = outcome;
  const reason = failure.kind === 'error' ? failure.name : 'validation';
  const answered = wireFailure(failure, version, { messageId: messageIdOnWire(failure, messageId) });
  return { ...refusal(answered, reason, detail), messageId: messageId ?? null };
}

/** A refusal of the kind that must not tell whether a message exists names none. */
function messageIdOnWire(failure: Refused['failure'], messageId: Refused['messageId']): Refused['messageId'] {
  const status = failureStatus(failure);
  return status === 403 || status === 404 || status === 410 ? undefined : messageId;
}

function refusal(answered: WireAnswer, reason: string, detail: string): Ending {
  return { reply: toReply(answered), refusal: { reason, detail }, messageId: null, drain: true };
}

function duplicate(version: 1 | 2, detail: string): Ending {
  return refusal(wireError('duplicate-token', version), 'nonce-used', detail);
}

function usedDetail(seenAtMs: number): string {
  return `the nonce was used at ${new Date(seenAtMs).toISOString()}`;
}

function wrongMethod(matched: Matched, version: 1 | 2): Ending {
  const allowed = Object.keys(matched.operations).join(', ');
  const ending = refusal(wireError('method-not-allowed', version), 'method-not-allowed', `allowed: ${allowed}`);
  return { ...ending, reply: { ...ending.reply, headers: [...ending.reply.headers, ['allow', allowed]] } };
}

function tooMany(seconds: number, requestsPerSecond: number, version: 1 | 2): Ending {
  const answered = wireError('too-many-requests', version, { parameters: { requestsPerSecond, seconds } });
  const ending = refusal(answered, 'throttled', `told to wait ${seconds} s`);
  return {
    ...ending,
    reply: { ...ending.reply, headers: [...ending.reply.headers, ['retry-after', String(seconds)]] },
  };
}

/** What an exception means to the caller: ours to mend, or to be tried again. */
function errorNameOf(error: unknown): ErrorName {
  const kind = (error as { kind?: unknown } | null)?.kind;
  switch (kind) {
    case 'full':
    case 'disk-full':
      return 'storage-unavailable';
    case 'unavailable':
    case 'broken':
    case 'io':
      return 'service-unavailable';
    default:
      return (error as { name?: unknown } | null)?.name === 'RegistryTooBusy'
        ? 'service-unavailable'
        : 'internal-error';
  }
}
