import type { MailboxId } from '@openmesh/protocol';
import { clientError } from './errors/client-errors.ts';
import type { MeshError } from './errors/mesh-error.ts';
import { refusalError } from './errors/read-refusal.ts';
import type { Limits } from './limits.ts';
import type { TlsOptions } from './options.ts';
import { type Retrying, type Tried, withRetries } from './retry.ts';
import type { Surroundings } from './surroundings.ts';
import { type Answer, type AnswerHeaders, readBounded, readJson } from './wire/answer.ts';
import type { Transport, WireRequest } from './wire/transport.ts';

/** What the parts of a client share: who is calling, where to, and within which limits. */
export interface Session extends Retrying {
  readonly mailbox: MailboxId;
  /** Scheme, host and port of the service. */
  readonly origin: string;
  readonly limits: Limits;
  readonly surroundings: Surroundings;
  readonly transport: Transport;
  /** Other certificates for the requests to come. Throws when they are no good, and keeps the ones it has. */
  readonly renewTls: (tls: TlsOptions) => void;
  /** The `Authorization` of one request. */
  readonly token: () => string;
  /** What the program calls itself. */
  readonly userAgent: string;
}

export interface Call extends Omit<WireRequest, 'path' | 'headers' | 'totalMs'> {
  /** Below `/messageexchange/{mailbox}`; an absolute path when `isPublic`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly version?: 1 | 2;
  /** Needs no token. */
  readonly isPublic?: boolean;
  readonly carriesChunk?: boolean;
  readonly messageId?: Parameters<typeof refusalError>[0]['messageId'];
  /** Statuses that are not refusals. */
  readonly accepts: readonly number[];
}

const acceptByVersion = { 1: 'application/json', 2: 'application/vnd.mesh.v2+json' } as const;

/** One attempt at one request with a token of its own. Throws the typed error of any status that is not accepted. */
export async function attempt(session: Session, call: Call): Promise<Answer> {
  const { operation, method, body, signal, version = 2, isPublic = false } = call;
  const { limits } = session;
  const answer = await session.transport.exchange({
    operation,
    method,
    path: isPublic ? call.path : `/messageexchange/${session.mailbox}${call.path}`,
    headers: {
      accept: acceptByVersion[version],
      'user-agent': session.userAgent,
      ...(isPublic ? {} : { authorization: session.token() }),
      ...call.headers,
    },
    body,
    totalMs: call.carriesChunk === true ? limits.chunkMs : limits.answerMs,
    signal,
  });
  if (call.accepts.includes(answer.status)) return answer;
  throw await readRefusal(session, answer, call);
}

/** The whole call: repeated as its policy says, its answer read as JSON; undefined for an answer without a body. */
export function askJson(session: Session, tried: Omit<Tried, 'operation' | 'signal'>, call: Call): Promise<unknown> {
  return withRetries(session, { ...tried, operation: call.operation, signal: call.signal }, async () => {
    const answer = await attempt(session, call);
    if (answer.headers.get('content-length') === '0') {
      await readBounded(answer, 0, 'the announced length');
      return undefined;
    }
    return readJson(answer, session.limits.jsonBytes);
  });
}

async function readRefusal({ limits }: Session, answer: Answer, call: Call): Promise<MeshError> {
  const { operation, status } = answer;
  if (status >= 301 && status < 400) {
    answer.cancel();
    const detail = 'it leads elsewhere, and redirects are not followed, for they would carry the token with them';
    return clientError('unexpected-answer', operation, { detail, status });
  }
  const retryAfterMs = readRetryAfter(answer.headers.get('retry-after'));
  const body = await readPart(answer, limits.refusalBytes);
  const serverTimeMs = readServerTime(answer.headers);
  return refusalError({ operation, status, body, retryAfterMs, serverTimeMs, messageId: call.messageId });
}

/** As much of the body as is allowed and comes. A refusal that breaks off is a refusal all the same. */
async function readPart(answer: Answer, bytesMax: number): Promise<string> {
  try {
    return (await readBounded(answer, bytesMax, 'the limit refusalBytes')).toString('utf8');
  } catch {
    return '';
  }
}

/** Milliseconds since 1970 of an answer's `date`, which counts whole seconds. */
export function readServerTime(headers: AnswerHeaders): number | undefined {
  const ms = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}

const secondsMax = 86_400;

/** Milliseconds of a `retry-after` in seconds, at most a day; a date is not read, for the two clocks may differ. */
function readRetryAfter(raw: string | undefined): number | undefined {
  if (raw === undefined || !/^\d{1,9}$/.test(raw)) return undefined;
  return Math.min(Number(raw), secondsMax) * 1000;
}
