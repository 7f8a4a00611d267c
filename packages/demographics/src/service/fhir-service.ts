import { randomUUID } from 'node:crypto';
import type { Unavailable, UnavailableReason } from '../demographics.ts';
import { type Access, type Grant, parseJson } from './access.ts';
import type { HttpsAnswer, HttpsCaller } from './https-call.ts';
import { createPacer } from './pacer.ts';
import { readRetryAfter } from './retry-after.ts';

export type FhirAnswer = { readonly kind: 'answer'; readonly status: number; readonly body: unknown } | Unavailable;

/** A FHIR service that lets applications in. */
export interface FhirService {
  /**
   * Asks for `path` (below the service's address, query included). Answers of 2xx and of 4xx that are about what was
   * asked for come back; everything else is 'unavailable'. Never rejects.
   */
  get(path: string, context: FhirContext): Promise<FhirAnswer>;
  close(): void;
}

export interface FhirContext {
  readonly correlationId: string;
  readonly signal?: AbortSignal | undefined;
}

export interface FhirServiceOptions {
  readonly baseUrl: URL;
  readonly caller: HttpsCaller;
  readonly access: Access;
  readonly requestsPerSecond: number;
  /** The longest a call waits for its turn, in milliseconds. */
  readonly waitMsMax: number;
  /** The organisation on whose behalf is asked. */
  readonly endUserOrganisation: string | undefined;
  /** Of the machine: tokens and waits follow it. */
  readonly clock: { nowMs(): number };
  readonly sleep: (ms: number) => Promise<void>;
  /** From 0 to 1: spreads the attempts of several nodes. */
  readonly random: () => number;
}

const firstRestMs = 1000;
const longestRestMs = 60_000;

/**
 * Asks one service: with a token that is renewed in time, a new request id for each attempt, no faster than agreed. After
 * a failure the service is left alone for as long as it wishes, or for a time that doubles with each failure; whoever
 * asks meanwhile is told so at once.
 */
export function createFhirService(options: FhirServiceOptions): FhirService {
  const { access, caller, clock } = options;
  const pacer = createPacer(options.requestsPerSecond, options.waitMsMax);
  let failures = 0;
  let restUntilMs = 0;

  const rest = (unavailable: Unavailable): Unavailable => {
    const wantedMs = Math.min(longestRestMs, firstRestMs * 2 ** Math.min(failures, 10));
    failures += 1;
    const restMs = unavailable.retryAfterMs ?? wantedMs * (0.5 + options.random() / 2);
    restUntilMs = clock.nowMs() + restMs;
    return { ...unavailable, retryAfterMs: restMs };
  };

  const attempt = async (url: URL, grant: Grant, context: FhirContext): Promise<HttpsAnswer> => {
    const waitMs = pacer.reserve(clock.nowMs());
    if (waitMs === undefined) return busy;
    if (waitMs > 0) await options.sleep(waitMs);
    const { endUserOrganisation: organisation } = options;
    const headers = {
      accept: 'application/fhir+json',
      [grant.header]: grant.value,
      'x-request-id': randomUUID(),
      'x-correlation-id': context.correlationId,
      ...(organisation === undefined ? {} : { 'nhsd-end-user-organisation-ods': organisation }),
    };
    return caller.call({ method: 'GET', url, headers, signal: context.signal });
  };

  const withToken = async (url: URL, context: FhirContext): Promise<HttpsAnswer | Unavailable> => {
    const first = await access.grant();
    if (first.kind === 'unavailable') return first;
    const answer = await attempt(url, first, context);
    if (answer.kind === 'failed' || answer.status !== 401) return answer;
    // The platform may end a token before its time: one more is worth a second attempt, and only one.
    access.forget(first);
    const second = await access.grant();
    return second.kind === 'unavailable' ? second : attempt(url, second, context);
  };

  return {
    async get(path, context) {
      const leftMs = restUntilMs - clock.nowMs();
      if (leftMs > 0) return { kind: 'unavailable', reason: 'resting', retryAfterMs: leftMs };
      const answer = await withToken(new URL(options.baseUrl.href.replace(/\/$/, '') + path), context);
      const judged = judgeAnswer(answer, clock.nowMs());
      if (judged.kind === 'unavailable') return rest(judged);
      failures = 0;
      return judged;
    },
    close: () => caller.close(),
  };
}

/** Our own limit, told as if the service had: the caller comes back in a moment. */
const busy: HttpsAnswer = { kind: 'answer', status: 429, header: () => undefined, body: '' };

function judgeAnswer(answer: HttpsAnswer | Unavailable, nowMs: number): FhirAnswer {
  if (answer.kind === 'unavailable') return answer;
  if (answer.kind === 'failed') return { kind: 'unavailable', reason: answer.reason, retryAfterMs: null };
  const { status, header, body } = answer;
  const reason = reasonOf(status);
  if (reason !== undefined)
    return { kind: 'unavailable', reason, retryAfterMs: readRetryAfter(header('retry-after'), nowMs) };
  const parsed = parseJson(body);
  if (typeof parsed !== 'object' || parsed === null)
    return { kind: 'unavailable', reason: 'malformed-answer', retryAfterMs: null };
  return { kind: 'answer', status, body: parsed };
}

/** Why a status says nothing of what was asked; undefined when it does. */
function reasonOf(status: number): UnavailableReason | undefined {
  if (status === 401 || status === 403) return 'access-refused';
  if (status === 408) return 'timeout';
  if (status === 429) return 'rate-limited';
  if (status >= 500) return 'server-error';
  return (status >= 200 && status < 300) || (status >= 400 && status < 500) ? undefined : 'unexpected-answer';
}
