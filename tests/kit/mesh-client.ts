import { createHmac, randomUUID } from 'node:crypto';
import * as http from 'node:http';
import * as https from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { SecureVersion } from 'node:tls';

/** One answer as it came over the wire. `headers` has lower-case names; `rawHeaders` keeps their spelling and order. */
export interface MeshReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export type MeshBody = string | Uint8Array | AsyncIterable<Uint8Array>;

/** PEM texts. `rejectUnauthorized` false is for the sandbox's self-signed certificate. */
export interface MeshTls {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly rejectUnauthorized?: boolean;
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
}

export interface MeshClientOptions {
  /** Origin of the machines' listener, such as `https://127.0.0.1:8700`. */
  readonly url: string;
  readonly mailboxId: string;
  readonly password: string;
  readonly sharedKey: string;
  /** `Accept` of every request: version 2 when absent; null sends none, which means version 1. */
  readonly accept?: string | null;
  readonly tls?: MeshTls;
  /** Machine time that stamps tokens, in milliseconds since 1970. */
  readonly nowMs?: () => number;
  /** A request without an answer for so long rejects. */
  readonly timeoutMs?: number;
  /** Connections kept open side by side; 1 gives one request after the other on one socket. */
  readonly socketsMax?: number;
}

/** Overrides for one request. A header of value null is not sent; `authorization` null sends no token. */
export interface MeshRequestOptions {
  readonly headers?: Readonly<Record<string, string | string[] | null>>;
  readonly authorization?: string | null;
  readonly body?: MeshBody;
}

export interface TokenParts {
  readonly mailboxId: string;
  readonly password: string;
  readonly sharedKey: string;
  readonly nonce: string;
  readonly nonceCount: string;
  /** UTC, `yyyyMMddHHmm`. */
  readonly timestamp: string;
}

export interface ListQuery {
  readonly maxResults?: number;
  readonly continueFrom?: string;
  readonly workflowFilter?: string;
}

export interface SendHeaders {
  readonly to: string;
  readonly workflowId: string;
  /** `n:m`; absent sends no `Mex-Chunk-Range`. */
  readonly chunkRange?: string;
  readonly localId?: string;
}

const answerBytesMax = 512 * 1024 * 1024;

/** The value of `Authorization` for the parts as given: nothing is normalised, so that tests can send wrong tokens. */
export function authorizationOf(parts: TokenParts): string {
  const { mailboxId, password, sharedKey, nonce, nonceCount, timestamp } = parts;
  const hashed = [mailboxId, nonce, nonceCount, password, timestamp].join(':');
  const hash = createHmac('sha256', sharedKey).update(hashed).digest('hex');
  return `NHSMESH ${mailboxId}:${nonce}:${nonceCount}:${timestamp}:${hash}`;
}

/** `yyyyMMddHHmm` in UTC of milliseconds since 1970. */
export function tokenTimestamp(nowMs: number): string {
  return new Date(nowMs).toISOString().replaceAll(/[-T:]/g, '').slice(0, 12);
}

/** The body of an answer as JSON. Throws a `SyntaxError` when it is not. */
export function jsonOf(reply: MeshReply): unknown {
  return JSON.parse(reply.body.toString('latin1'));
}

/** The message id of a 202, whichever version spelt it. Throws when the answer carries none. */
export function sentIdOf(reply: MeshReply): string {
  const body = jsonOf(reply) as Readonly<Record<string, unknown>> | null;
  const id = body?.['message_id'] ?? body?.['messageID'];
  if (typeof id !== 'string') throw new Error(`no message id in the answer ${reply.status} ${reply.body.toString()}`);
  return id;
}

/** The waiting ids of a listing, oldest first. Throws when the answer is not a listing. */
export function listedIdsOf(reply: MeshReply): readonly string[] {
  const body = jsonOf(reply) as { readonly messages?: readonly string[] } | null;
  if (reply.status !== 200 || !Array.isArray(body?.messages)) {
    throw new Error(`not a listing: ${reply.status} ${reply.body.toString()}`);
  }
  return body.messages;
}

/**
 * A MESH caller with no opinion: it sends what it is told, never retries, never follows, never inflates, and gives
 * back what came. A promise rejects only when no complete answer came, so "rejected" means "outcome unknown".
 */
export class MeshClient {
  readonly options: MeshClientOptions;
  readonly #origin: URL;
  readonly #agent: http.Agent;

  constructor(options: MeshClientOptions) {
    this.options = options;
    this.#origin = new URL(options.url);
    const agentOptions = { keepAlive: true, maxSockets: options.socketsMax ?? 8 };
    this.#agent =
      this.#origin.protocol === 'https:'
        ? new https.Agent({ ...agentOptions, ...options.tls })
        : new http.Agent(agentOptions);
  }

  /** A token for the next request: fresh nonce, count 0, stamped now, any part overridden. */
  authorization(parts: Partial<TokenParts> = {}): string {
    const { mailboxId, password, sharedKey, nowMs = Date.now } = this.options;
    const timestamp = tokenTimestamp(nowMs());
    return authorizationOf({
      mailboxId: mailboxId.toUpperCase(),
      password,
      sharedKey,
      nonce: randomUUID(),
      nonceCount: '0',
      timestamp,
      ...parts,
    });
  }

  handshake(options: MeshRequestOptions = {}): Promise<MeshReply> {
    const headers = { 'mex-ClientVersion': 'openmesh-kit', 'mex-OSName': 'test', 'mex-OSVersion': '1' };
    return this.request('POST', '', { ...options, headers: { ...headers, ...options.headers } });
  }

  /** Sends a message, or its first chunk when `chunkRange` says so. */
  send(to: SendHeaders, body: MeshBody, options: MeshRequestOptions = {}): Promise<MeshReply> {
    const headers = {
      'Mex-To': to.to,
      'Mex-WorkflowID': to.workflowId,
      'Mex-Chunk-Range': to.chunkRange ?? null,
      'Mex-LocalID': to.localId ?? null,
    };
    return this.request('POST', '/outbox', { ...options, body, headers: { ...headers, ...options.headers } });
  }

  sendChunk(
    id: string,
    chunk: number,
    chunks: number,
    body: MeshBody,
    options: MeshRequestOptions = {},
  ): Promise<MeshReply> {
    const headers = { 'Mex-Chunk-Range': `${chunk}:${chunks}`, ...options.headers };
    return this.request('POST', `/outbox/${encodeURIComponent(id)}/${chunk}`, { ...options, body, headers });
  }

  list(query: ListQuery = {}, options: MeshRequestOptions = {}): Promise<MeshReply> {
    const search = new URLSearchParams();
    if (query.maxResults !== undefined) search.set('max_results', String(query.maxResults));
    if (query.continueFrom !== undefined) search.set('continue_from', query.continueFrom);
    if (query.workflowFilter !== undefined) search.set('workflow_filter', query.workflowFilter);
    return this.request('GET', `/inbox${search.size === 0 ? '' : `?${search.toString()}`}`, options);
  }

  count(options: MeshRequestOptions = {}): Promise<MeshReply> {
    return this.request('GET', '/count', options);
  }

  download(id: string, options: MeshRequestOptions = {}): Promise<MeshReply> {
    return this.request('GET', `/inbox/${encodeURIComponent(id)}`, options);
  }

  downloadChunk(id: string, chunk: number, options: MeshRequestOptions = {}): Promise<MeshReply> {
    return this.request('GET', `/inbox/${encodeURIComponent(id)}/${chunk}`, options);
  }

  head(id: string, options: MeshRequestOptions = {}): Promise<MeshReply> {
    return this.request('HEAD', `/inbox/${encodeURIComponent(id)}`, options);
  }

  acknowledge(id: string, options: MeshRequestOptions = {}): Promise<MeshReply> {
    return this.request('PUT', `/inbox/${encodeURIComponent(id)}/status/acknowledged`, options);
  }

  track(id: string, options: MeshRequestOptions = {}): Promise<MeshReply> {
    return this.request('GET', `/outbox/tracking?messageID=${encodeURIComponent(id)}`, options);
  }

  /** Any method on `/messageexchange/{mailbox}` plus `path`. */
  request(method: string, path: string, options: MeshRequestOptions = {}): Promise<MeshReply> {
    return this.requestAt(method, `/messageexchange/${encodeURIComponent(this.options.mailboxId)}${path}`, options);
  }

  /** Any method on any absolute path, with this mailbox's token unless told otherwise. */
  requestAt(method: string, absolutePath: string, options: MeshRequestOptions = {}): Promise<MeshReply> {
    const { accept = 'application/vnd.mesh.v2+json' } = this.options;
    const authorization = options.authorization === undefined ? this.authorization() : options.authorization;
    const wanted = { Accept: accept, Authorization: authorization, ...options.headers };
    const headers: Record<string, string | string[]> = {};
    for (const [name, value] of Object.entries(wanted)) if (value !== null) headers[name] = value;
    if (isWhole(options.body)) headers['Content-Length'] = String(Buffer.byteLength(options.body));
    else if (options.body === undefined && method !== 'GET' && method !== 'HEAD') headers['Content-Length'] = '0';
    return this.#exchange(method, absolutePath, headers, options.body);
  }

  /** Destroys the kept connections; requests under way reject. */
  close(): void {
    this.#agent.destroy();
  }

  #exchange(
    method: string,
    path: string,
    headers: http.OutgoingHttpHeaders,
    body: MeshBody | undefined,
  ): Promise<MeshReply> {
    const { hostname, port, protocol } = this.#origin;
    const ask = protocol === 'https:' ? https.request : http.request;
    return new Promise((resolve, reject) => {
      const host = hostname.replaceAll(/[[\]]/g, '');
      const request = ask({ method, path, host, port, agent: this.#agent, headers }, (response) => {
        readAnswer(response).then(resolve, reject);
      });
      request.setTimeout(this.options.timeoutMs ?? 60_000, () => {
        request.destroy(new Error(`no answer to ${method} in time`));
      });
      request.on('error', reject);
      // A string body would make Node write the headers with it, as UTF-8; header text is Latin-1 (rule 25).
      if (body === undefined || isWhole(body)) request.end(typeof body === 'string' ? Buffer.from(body) : body);
      // A failing upload reaches the caller through the request's own error; an early answer is not an error at all.
      else pipeline(Readable.from(body), request).catch(() => undefined);
    });
  }
}

function isWhole(body: MeshBody | undefined): body is string | Uint8Array {
  return typeof body === 'string' || body instanceof Uint8Array;
}

async function readAnswer(response: http.IncomingMessage): Promise<MeshReply> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > answerBytesMax) throw new Error('the answer is larger than the kit takes');
    pieces.push(piece);
  }
  if (!response.complete) throw new Error('the answer was cut off');
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return { status: response.statusCode ?? 0, headers, rawHeaders: response.rawHeaders, body: Buffer.concat(pieces) };
}
