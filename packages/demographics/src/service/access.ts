import { randomUUID } from 'node:crypto';
import type { Unavailable } from '../demographics.ts';
import { memberOf, textOf } from '../read-members.ts';
import { type ClientCredentials, makeClientAssertion } from './client-assertion.ts';
import type { HttpsAnswer, HttpsCaller } from './https-call.ts';
import { readRetryAfter } from './retry-after.ts';

/** What a request carries to be let in. */
export interface Grant {
  readonly kind: 'granted';
  readonly header: 'authorization' | 'apikey';
  readonly value: string;
}

/** The right to ask. */
export interface Access {
  grant(): Promise<Grant | Unavailable>;
  /** The service did not accept this one: the next call gets another, if there can be another. */
  forget(grant: Grant): void;
}

/** An API key as it is, for services that ask for nothing more. */
export function createKeyAccess(apiKey: string): Access {
  return {
    grant: () => Promise.resolve({ kind: 'granted', header: 'apikey', value: apiKey }),
    forget: () => undefined,
  };
}

export interface TokenAccessOptions {
  readonly caller: HttpsCaller;
  readonly tokenUrl: URL;
  readonly credentials: ClientCredentials;
  readonly clock: { nowMs(): number };
}

/** A token is not used in its last minute, or in the last tenth of a short life. */
const sparedMsMax = 60_000;
const sparedShare = 0.1;
const lifeSecondsMax = 86_400;

interface Token {
  readonly grant: Grant;
  readonly useUntilMs: number;
}

/**
 * Application-restricted access: a signed client assertion is exchanged for a token, which is used until shortly before it
 * ends. Callers at one time share one exchange.
 */
export function createTokenAccess({ caller, tokenUrl, credentials, clock }: TokenAccessOptions): Access {
  let held: Token | undefined;
  let asking: Promise<Token | Unavailable> | undefined;

  const ask = async (): Promise<Token | Unavailable> => {
    const nowMs = clock.nowMs();
    const assertion = makeClientAssertion(credentials, tokenUrl.href, { tokenId: randomUUID(), nowMs });
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    });
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
    const answer = await caller.call({ method: 'POST', url: tokenUrl, headers, body: form.toString() });
    return readToken(answer, nowMs);
  };

  return {
    async grant() {
      if (held !== undefined && clock.nowMs() < held.useUntilMs) return held.grant;
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      const got = await asking;
      if ('kind' in got) return got;
      held = got;
      return got.grant;
    },
    forget(grant) {
      if (held?.grant === grant) held = undefined;
    },
  };
}

function readToken(answer: HttpsAnswer, nowMs: number): Token | Unavailable {
  if (answer.kind === 'failed') return { kind: 'unavailable', reason: answer.reason, retryAfterMs: null };
  const { status, header, body } = answer;
  const retryAfterMs = readRetryAfter(header('retry-after'), nowMs);
  if (status === 429) return { kind: 'unavailable', reason: 'rate-limited', retryAfterMs };
  if (status >= 500) return { kind: 'unavailable', reason: 'server-error', retryAfterMs };
  if (status !== 200) return { kind: 'unavailable', reason: 'access-refused', retryAfterMs };
  const parsed = parseJson(body);
  const value = textOf(parsed, 'access_token') ?? '';
  // The platform writes the life as a number in quotes.
  const lifeSeconds = Number(memberOf(parsed, 'expires_in'));
  const isLife = lifeSeconds > 0 && lifeSeconds <= lifeSecondsMax;
  if (!/^[!-~]{1,8192}$/.test(value) || !isLife)
    return { kind: 'unavailable', reason: 'malformed-answer', retryAfterMs };
  const lifeMs = lifeSeconds * 1000;
  const useUntilMs = nowMs + lifeMs - Math.min(sparedMsMax, lifeMs * sparedShare);
  return { grant: { kind: 'granted', header: 'authorization', value: `Bearer ${value}` }, useUntilMs };
}

/** Undefined when it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
