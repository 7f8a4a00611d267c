import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** What became of spans that were offered to a collector. */
export type Posted =
  | { readonly kind: 'taken'; readonly rejected: number }
  /** It will not have them, however often they are offered. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'away'; readonly reason: AwayReason; readonly retryAfterMs: number | undefined };

export type AwayReason = 'unreachable' | 'timeout' | 'busy';

export interface SpanPost {
  /** Offers an encoded request once; never rejects. */
  offer(body: string, signal: AbortSignal): Promise<Posted>;
  close(): void;
}

const answerBytesMax = 65_536;
const answeredTooMuch = new Error('the answer is longer than an answer is');
/** The only ones that may be tried again (OTLP, section "Retryable Response Codes"). */
const busyStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export interface SpanPostOptions {
  /** `/v1/traces` is added. */
  readonly endpoint: string;
  /** PEM; those the system trusts when undefined. */
  readonly authorities: string | undefined;
  readonly timeoutMs: number;
}

/** Sends one request at a time, over a connection that is kept; follows nothing. */
export function createSpanPost({ endpoint, authorities, timeoutMs }: SpanPostOptions): SpanPost {
  const url = new URL(`${endpoint}/v1/traces`);
  const isPlain = url.protocol === 'http:';
  const kept = { keepAlive: true, maxSockets: 1 };
  const agent = isPlain ? new HttpAgent(kept) : new HttpsAgent({ ...kept, ...(authorities && { ca: authorities }) });
  const send = isPlain ? httpRequest : httpsRequest;

  const answerTo = (body: string, signal: AbortSignal): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const request = send(url, { method: 'POST', agent, headers, signal }, (response) => {
        readAnswer(response).then(resolve, reject);
      });
      request.on('error', reject);
      request.end(body);
    });

  return {
    async offer(body, signal) {
      const timeout = AbortSignal.timeout(timeoutMs);
      try {
        return judge(await answerTo(body, AbortSignal.any([signal, timeout])));
      } catch (error) {
        if (error === answeredTooMuch) return { kind: 'refused' };
        return { kind: 'away', reason: timeout.aborted ? 'timeout' : 'unreachable', retryAfterMs: undefined };
      }
    },
    close: () => agent.destroy(),
  };
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > answerBytesMax) throw answeredTooMuch;
    pieces.push(piece);
  }
  const { statusCode: status = 0, headers } = response;
  return { status, retryAfter: headers['retry-after'], text: Buffer.concat(pieces).toString('utf8') };
}

function judge({ status, retryAfter, text }: Answer): Posted {
  if (status >= 200 && status < 300) return { kind: 'taken', rejected: readRejected(text) };
  if (!busyStatuses.has(status)) return { kind: 'refused' };
  const seconds = /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) : undefined;
  return { kind: 'away', reason: 'busy', retryAfterMs: seconds === undefined ? undefined : seconds * 1000 };
}

/** How many of the spans a collector that took the rest did not take; 0 where its answer does not say. */
function readRejected(text: string): number {
  try {
    const answer = JSON.parse(text) as { partialSuccess?: { rejectedSpans?: unknown } } | null;
    const rejected = Number(answer?.partialSuccess?.rejectedSpans ?? 0);
    return Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0;
  } catch {
    return 0;
  }
}
