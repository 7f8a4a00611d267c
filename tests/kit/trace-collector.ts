import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestIdentity } from './certificates.ts';

/** A span as a collector reads it. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  /** 1: internal; 2: server. */
  readonly kind: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** `trace id/span id` of each. */
  readonly links: readonly string[];
  readonly failed: boolean;
}

export type CollectorMood =
  | 'take'
  /** It reads and never answers. */
  | 'hang'
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    };

/** Takes OTLP over HTTP as a collector does, in the JSON encoding, and is strict about it. `await using` stops it. */
export class TraceCollector implements AsyncDisposable {
  mood: CollectorMood = 'take';
  /** Of every request it took. */
  readonly spans: CollectedSpan[] = [];
  readonly resources: Readonly<Record<string, unknown>>[] = [];
  /** Every byte it was ever sent, heads included; what it did not take too. */
  everything = '';
  offers = 0;
  readonly #server: Server;
  readonly #scheme: 'http' | 'https';
  #offered = Promise.withResolvers<void>();

  private constructor(identity: TestIdentity | undefined) {
    const serve = (request: IncomingMessage, response: ServerResponse): void => void this.#serve(request, response);
    this.#scheme = identity === undefined ? 'http' : 'https';
    this.#server =
      identity === undefined ? createServer(serve) : createTlsServer({ cert: identity.cert, key: identity.key }, serve);
  }

  /** At a free port and without TLS, unless given. */
  static async start({ port = 0, identity }: { port?: number; identity?: TestIdentity } = {}): Promise<TraceCollector> {
    const collector = new TraceCollector(identity);
    collector.#server.listen(port, '127.0.0.1');
    await once(collector.#server, 'listening');
    return collector;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when it has read the next offer. */
  nextOffer(): Promise<void> {
    return this.#offered.promise;
  }

  trace(traceId: string): readonly CollectedSpan[] {
    return this.spans.filter((span) => span.traceId === traceId).sort((a, b) => a.startMs - b.startMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
    const body = Buffer.concat(pieces).toString('utf8');
    this.everything += [request.method, request.url, ...request.rawHeaders, body, ''].join('\n');
    this.offers += 1;
    const { mood } = this;
    if (mood === 'take') this.#take(request, body);
    if (mood !== 'hang') {
      const { status, headers = {}, body: text = '{}' } = mood === 'take' ? { status: 200 } : mood;
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
    }
    this.#offered.resolve();
    this.#offered = Promise.withResolvers();
  }

  #take(request: IncomingMessage, body: string): void {
    const asked = [request.method, request.url, request.headers['content-type']].join(' ');
    if (asked !== 'POST /v1/traces application/json') throw new Error(`no OTLP request: ${asked}`);
    const { resourceSpans } = JSON.parse(body) as ExportRequest;
    for (const { resource, scopeSpans } of resourceSpans) {
      this.resources.push(readAttributes(resource.attributes));
      for (const { spans } of scopeSpans) this.spans.push(...spans.map(readSpan));
    }
  }
}

interface AnyValue {
  readonly stringValue?: string;
  readonly intValue?: string;
  readonly arrayValue?: { readonly values: readonly AnyValue[] };
}

type KeyValues = readonly { readonly key: string; readonly value: AnyValue }[];

interface RawSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: KeyValues;
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code?: number };
}

interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: KeyValues };
    readonly scopeSpans: readonly { readonly spans: readonly RawSpan[] }[];
  }[];
}

function readSpan(raw: RawSpan): CollectedSpan {
  const { name, kind, parentSpanId, attributes, links = [], status } = raw;
  if (name === '' || (kind !== 1 && kind !== 2)) throw new Error('a span has no name or no kind');
  return {
    traceId: hex(raw.traceId, 32),
    spanId: hex(raw.spanId, 16),
    parentSpanId: parentSpanId === undefined ? undefined : hex(parentSpanId, 16),
    name,
    kind,
    startMs: milliseconds(raw.startTimeUnixNano),
    endMs: milliseconds(raw.endTimeUnixNano),
    attributes: readAttributes(attributes),
    links: links.map(({ traceId, spanId }) => `${hex(traceId, 32)}/${hex(spanId, 16)}`),
    failed: status.code === 2,
  };
}

function hex(text: string, length: number): string {
  if (!new RegExp(`^[0-9a-f]{${length}}$`).test(text)) throw new Error(`an id is not ${length} digits: ${text}`);
  return text;
}

/** A fixed64 is text in the JSON encoding. */
function milliseconds(nano: unknown): number {
  if (typeof nano !== 'string' || !/^\d{19}$/.test(nano)) throw new Error(`a time is no nanoseconds: ${String(nano)}`);
  return Number(nano) / 1e6;
}

function readAttributes(pairs: KeyValues): Readonly<Record<string, unknown>> {
  const names = pairs.map(({ key }) => key);
  if (new Set(names).size !== names.length) throw new Error(`an attribute is there twice: ${names.join()}`);
  return Object.fromEntries(pairs.map(({ key, value }) => [key, readValue(value)]));
}

function readValue({ stringValue, intValue, arrayValue, ...unknown }: AnyValue): unknown {
  if (Object.keys(unknown).length > 0) throw new Error(`a value of another kind: ${Object.keys(unknown).join()}`);
  if (typeof stringValue === 'string') return stringValue;
  if (typeof intValue === 'string' && /^-?\d+$/.test(intValue)) return Number(intValue);
  if (arrayValue !== undefined) return arrayValue.values.map(readValue);
  throw new Error('a value is nothing that is known');
}
