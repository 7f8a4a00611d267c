import { Agent, type RequestOptions, request } from 'node:https';
import type { UnavailableReason } from '../demographics.ts';

export interface HttpsRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
}

export type HttpsAnswer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly header: (name: string) => string | undefined;
      readonly body: string;
    }
  | {
      readonly kind: 'failed';
      readonly reason: Extract<UnavailableReason, 'timeout' | 'connection' | 'certificate' | 'malformed-answer'>;
    };

/** Calls of other services: each bounded in time and in size, none follows a redirect, all check who answers. */
export interface HttpsCaller {
  /** Resolves whatever happens: what fails is an answer too. */
  call(request: HttpsRequest): Promise<HttpsAnswer>;
  close(): void;
}

export interface HttpsCallerOptions {
  /** Authorities to trust instead of the system's, PEM. */
  readonly authorities?: string | undefined;
  /** From the first byte sent to the last received, in milliseconds. */
  readonly timeoutMs: number;
  readonly answerBytesMax: number;
  readonly connectionsMax: number;
}

const idleMs = 30_000;

export function createHttpsCaller(options: HttpsCallerOptions): HttpsCaller {
  const { authorities, timeoutMs, answerBytesMax, connectionsMax } = options;
  const agent = new Agent({
    keepAlive: true,
    maxSockets: connectionsMax,
    timeout: idleMs,
    minVersion: 'TLSv1.2',
    ...(authorities === undefined ? {} : { ca: authorities }),
  });

  const send = ({ method, url, headers, body, signal }: HttpsRequest): Promise<HttpsAnswer> =>
    new Promise((resolve) => {
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const wanted: RequestOptions = { method, agent, headers: { ...headers, ...length }, ...(signal && { signal }) };
      let isLate = false;
      const outgoing = request(url, wanted, (incoming) => {
        const pieces: Buffer[] = [];
        let size = 0;
        incoming.on('data', (piece: Buffer) => {
          size += piece.length;
          if (size <= answerBytesMax) pieces.push(piece);
          else {
            settle({ kind: 'failed', reason: 'malformed-answer' });
            outgoing.destroy();
          }
        });
        incoming.on('end', () => {
          const header = (name: string): string | undefined => String(incoming.headers[name] ?? '') || undefined;
          const text = Buffer.concat(pieces).toString('utf8');
          settle({ kind: 'answer', status: incoming.statusCode ?? 0, header, body: text });
        });
        incoming.on('error', () => settle({ kind: 'failed', reason: isLate ? 'timeout' : 'connection' }));
      });
      const timer = setTimeout(() => {
        isLate = true;
        outgoing.destroy(new Error('no answer in time'));
      }, timeoutMs);
      const settle = (answer: HttpsAnswer): void => {
        clearTimeout(timer);
        resolve(answer);
      };
      outgoing.on('error', (error) => settle({ kind: 'failed', reason: isLate ? 'timeout' : reasonOf(error) }));
      outgoing.end(body);
    });

  return { call: send, close: () => agent.destroy() };
}

/** Node's codes of a certificate that was not accepted, of which there are some twenty. */
const certificateCode = /CERT|ISSUER|SIGNED|SIGNATURE|CRL|ERR_TLS/;

function reasonOf(error: Error): 'connection' | 'certificate' {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return certificateCode.test(code) ? 'certificate' : 'connection';
}
