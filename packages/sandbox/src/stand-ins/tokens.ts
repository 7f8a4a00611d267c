import { type KeyObject, randomUUID, verify } from 'node:crypto';
import type { StandIn, StandInAnswer, StandInRequest } from './json-answer.ts';

/** The application that the services know. */
export interface KnownApplication {
  readonly apiKey: string;
  readonly keyId: string;
  readonly publicKey: KeyObject;
}

export interface TokenStandIn extends StandIn {
  /** Whether a request carries a token that was given out and has not ended. */
  letsIn(request: StandInRequest): boolean;
  /** Forgets every token, as the platform may. */
  endAll(): void;
}

const lifeSeconds = 599;
const assertionSecondsMax = 300;
const assertionsRememberedMax = 10_000;

/** The authorization server: takes a client assertion apart and checks every part of it, as the true one does. */
export function createTokenStandIn(
  known: KnownApplication,
  options: { readonly path: string; readonly nowMs: () => number },
): TokenStandIn {
  const tokens = new Map<string, number>();
  const used = new Set<string>();

  const objection = (assertion: string, audience: string): string | undefined => {
    const [head = '', claims = '', signature = ''] = assertion.split('.');
    const header = decode(head);
    const { iss, sub, aud, jti, exp } = decode(claims);
    const nowSeconds = options.nowMs() / 1000;
    if (header['alg'] !== 'RS512') return "Invalid 'alg' header in client_assertion JWT";
    if (header['kid'] !== known.keyId) return "Invalid 'kid' header in client_assertion JWT";
    const isSigned = verify(
      'RSA-SHA512',
      Buffer.from(`${head}.${claims}`),
      known.publicKey,
      Buffer.from(signature, 'base64url'),
    );
    if (!isSigned) return 'JWT signature verification failed';
    if (iss !== known.apiKey || sub !== known.apiKey) return "Invalid 'iss' or 'sub' claim in client_assertion JWT";
    if (aud !== audience) return "Missing or invalid 'aud' claim in client_assertion JWT";
    if (typeof exp !== 'number' || exp <= nowSeconds) return "Missing or past 'exp' claim in client_assertion JWT";
    if (exp > nowSeconds + assertionSecondsMax + 1) return "Invalid 'exp' claim: more than 5 minutes in the future";
    if (typeof jti !== 'string' || used.has(jti)) return "Missing or used 'jti' claim in client_assertion JWT";
    if (used.size >= assertionsRememberedMax) used.clear();
    used.add(jti);
    return undefined;
  };

  return {
    name: 'token',
    path: options.path,
    answer({ method, url, body }) {
      if (method !== 'POST') return json(405, { error: 'method_not_allowed' });
      const form = new URLSearchParams(body);
      if (form.get('grant_type') !== 'client_credentials') return refuse('grant_type is invalid');
      const against = objection(form.get('client_assertion') ?? '', `${url.origin}${url.pathname}`);
      if (against !== undefined) return refuse(against);
      const token = randomUUID();
      tokens.set(`Bearer ${token}`, options.nowMs() + lifeSeconds * 1000);
      return json(200, { access_token: token, expires_in: String(lifeSeconds), token_type: 'Bearer' });
    },
    letsIn: ({ header }) => (tokens.get(header('authorization') ?? '') ?? 0) > options.nowMs(),
    endAll: () => tokens.clear(),
  };
}

function refuse(description: string): StandInAnswer {
  return json(400, { error: 'invalid_request', error_description: description });
}

function json(status: number, body: object): StandInAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

function decode(part: string): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as unknown;
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
