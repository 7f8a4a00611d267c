import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as protocol from './index.ts';

// Runs every vector of conformance/ against the code. Vectors are compared as JSON, which is what another language sees.

type Version = protocol.ApiVersion;
type Header = Readonly<Record<string, string>>;
type Pairs = readonly (readonly [string, string])[];
type Bodies = { readonly v1: unknown; readonly v2: unknown };

const folder = new URL('../../../conformance/', import.meta.url);
const run = new Set<string>();

/** `check` names the shape of its vectors itself; a file that does not have it fails its test. */
function vectors(name: string, check: (vector: never) => void): void {
  run.add(name);
  const file = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as {
    readonly description: string;
    readonly cases: readonly { readonly says: string }[];
  };
  describe(`${name}: ${file.description}`, () => {
    for (const vector of file.cases) it(vector.says, () => check(vector as never));
  });
}

function plain(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value));
}

function mailbox(raw: string): protocol.MailboxId {
  const id = protocol.parseMailboxId(raw);
  if (id === undefined) throw new Error(`the vector holds no mailbox id: ${raw}`);
  return id;
}

function lookup(headers: Header): protocol.HeaderLookup {
  return (name) => (Object.hasOwn(headers, name) ? headers[name] : undefined);
}

function contentType(version: Version): string {
  return version === 1 ? 'application/json' : 'application/vnd.mesh.v2+json';
}

function expectJson(answer: protocol.WireAnswer, status: number, type: string, body: unknown): void {
  expect({ ...answer, body: JSON.parse(answer.body) }).toStrictEqual({ status, contentType: type, body });
}

vectors('mailbox-ids', ({ raw, id }: { raw: string; id: string | null }) => {
  expect(plain(protocol.parseMailboxId(raw))).toBe(id);
});

vectors('message-ids', ({ raw, id }: { raw: string; id: string | null }) => {
  expect(plain(protocol.parseMessageId(raw))).toBe(id);
});

vectors('made-message-ids', ({ clock, tails, ids }: { clock: number[]; tails: string[]; ids: string[] }) => {
  const clocks = clock.values();
  const randoms = tails.values();
  const next = protocol.createMessageIds({
    nowMicros: () => clocks.next().value ?? Number.NaN,
    randomHex6: () => randoms.next().value ?? '',
  });
  expect(ids.map(() => next())).toEqual(ids);
});

vectors('chunk-numbers', ({ raw, chunk, type }: { raw: string; chunk: number | null; type?: string }) => {
  expect(plain(protocol.parseChunkNumber(raw))).toBe(chunk);
  if (chunk !== null) return;
  const answer = protocol.wireFailure(protocol.invalidChunkNumber(raw), 2);
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.body)).toMatchObject({ detail: [{ type, loc: ['path', 'chunk_number'] }] });
});

vectors('idempotency-keys', ({ raw, valid }: { raw: string; valid: boolean }) => {
  expect(protocol.parseIdempotencyKey(raw)).toBe(valid ? raw : undefined);
});

vectors('gp-addresses', ({ to, parts }: { to: string; parts: unknown }) => {
  expect(plain(protocol.splitGpAddress(to))).toEqual(parts);
});

vectors('authorization', (vector: { mailbox: string; header: string | null; token?: object; refusal?: string }) => {
  const reading = protocol.parseAuthorization(vector.header ?? undefined, mailbox(vector.mailbox));
  if (reading.ok) {
    expect(reading.token).toEqual({ mailbox: vector.mailbox, ...vector.token });
    return;
  }
  expect(vector.token).toBeUndefined();
  const body = { errorEvent: '', errorCode: '', errorDescription: vector.refusal };
  expectJson(protocol.wireError(reading.refusal.error, 1), 403, 'application/json', body);
});

vectors('token-hashes', (vector: protocol.TokenMessageParts & { sharedKey: string; hash: string; header: string }) => {
  const hash = createHmac('sha256', vector.sharedKey).update(protocol.tokenMessage(vector)).digest('hex');
  expect(hash).toBe(vector.hash);
  expect(protocol.formatAuthorization({ ...vector, hash })).toBe(vector.header);
});

vectors('token-timestamps', ({ raw, iso }: { raw: string; iso: string | null }) => {
  const ms = protocol.parseTokenTimestamp(raw);
  expect(ms).toBe(iso === null ? undefined : Date.parse(iso));
  if (ms !== undefined) expect(protocol.formatTokenTimestamp(ms)).toBe(raw);
});

vectors('chunk-ranges', ({ raw, chunk, total }: { raw: string; chunk: number | null; total?: number }) => {
  expect(plain(protocol.parseChunkRange(raw))).toEqual(chunk === null ? null : { chunk, total });
});

vectors('accept', ({ accept, version }: { accept: string | null; version: unknown }) => {
  expect(protocol.negotiateVersion(accept ?? undefined)).toBe(version);
});

vectors('accept-encodings', ({ acceptEncoding, gzip }: { acceptEncoding: string | null; gzip: boolean }) => {
  expect(protocol.acceptsGzip(acceptEncoding ?? undefined)).toBe(gzip);
});

vectors('booleans', ({ raw, flag }: { raw: string | null; flag: boolean }) => {
  expect(protocol.parseBoolean(raw ?? undefined)).toBe(flag);
});

vectors('workflow-filters', ({ filter, passes, stops }: { filter: string; passes: string[]; stops: string[] }) => {
  const parsed = protocol.parseWorkflowFilter(filter);
  expect(passes.filter((id) => !protocol.matchesWorkflow(parsed, id))).toEqual([]);
  expect(stops.filter((id) => protocol.matchesWorkflow(parsed, id))).toEqual([]);
});

type SendExpectation = { send?: object; status: number; validation?: object } & Bodies;
type SendVector = { sender: string; headers: Header } & Record<'both' | protocol.Profile, SendExpectation | undefined>;

vectors('send-headers', (vector: SendVector) => {
  for (const profile of ['live', 'sandbox'] as const) {
    const expected = vector.both ?? vector[profile];
    if (expected === undefined) throw new Error(`the vector expects nothing in ${profile}`);
    const reading = protocol.parseSendHeaders(lookup(vector.headers), { sender: mailbox(vector.sender), profile });
    if (reading.ok) {
      expect({ toMailbox: null, ...(plain(reading.send) as object) }).toEqual(expected.send);
      continue;
    }
    expect(expected.send).toBeUndefined();
    for (const version of [1, 2] as const) {
      const type = expected.validation === undefined ? contentType(version) : 'application/json';
      const body = expected.validation ?? expected[`v${version}`];
      expectJson(protocol.wireFailure(reading.failure, version), expected.status, type, body);
    }
  }
});

type ChunkVector = {
  pathChunk: number;
  headers: Header;
  range?: number[] | null;
  contentEncoding?: string;
  refused?: number;
};

vectors('chunk-headers', ({ pathChunk, headers, range, contentEncoding, refused }: ChunkVector) => {
  const chunk = protocol.parseChunkNumber(String(pathChunk));
  if (chunk === undefined) throw new Error('the vector holds no chunk number');
  for (const profile of ['live', 'sandbox'] as const) {
    const reading = protocol.parseChunkHeaders(lookup(headers), { pathChunk: chunk, profile });
    if (reading.ok) {
      const read = reading.chunk.range;
      expect(read === undefined ? null : [read.chunk, read.total]).toEqual(range);
      expect(reading.chunk.contentEncoding).toBe(contentEncoding);
    } else {
      expect(protocol.failureStatus(reading.failure)).toBe(refused);
      expect(reading.failure).toEqual({ kind: 'error', name: 'invalid-chunk-range' });
    }
  }
});

vectors('handshake-headers', (vector: { headers: Header; handshake?: object; missing?: string[] }) => {
  const reading = protocol.parseHandshakeHeaders(lookup(vector.headers));
  if (reading.ok) {
    expect(plain(reading.handshake)).toEqual(vector.handshake);
    return;
  }
  const detail = vector.missing?.map((name) => ({ type: 'missing', loc: ['header', name], msg: 'Field required' }));
  expectJson(protocol.wireFailure(reading.failure, 2), 400, 'application/json', { detail });
});

vectors('durations', ({ raw, ms }: { raw: string; ms: number | null }) => {
  expect(plain(protocol.parseIsoDuration(raw))).toBe(ms);
});

vectors('instants', ({ raw, iso }: { raw: string; iso: string | null }) => {
  expect(protocol.parseIsoInstant(raw)).toBe(iso === null ? undefined : Date.parse(iso));
});

vectors(
  'timestamps',
  (at: Record<'compact' | 'offset' | 'naive' | 'http', string> & { ms: number; micros: number }) => {
    expect(protocol.compactUtc(at.ms)).toBe(at.compact);
    expect(protocol.isoMicros(at, 'offset')).toBe(at.offset);
    expect(protocol.isoMicros(at, 'naive')).toBe(at.naive);
    expect(protocol.httpDate(at.ms)).toBe(at.http);
  },
);

vectors('inbox-queries', ({ pairs, query, detail }: { pairs: Pairs; query?: object; detail?: object }) => {
  const reading = protocol.parseInboxQuery(pairs);
  if (reading.ok) {
    const { workflowFilter, ...texts } = reading.query;
    expect(plain(texts)).toEqual(query);
    expect(workflowFilter === undefined).toBe(texts.workflowFilterText === undefined);
    return;
  }
  expectJson(protocol.wireFailure(reading.failure, 2), 400, 'application/json', { detail });
});

vectors('tracking-queries', ({ pairs, messageId }: { pairs: Pairs; messageId: string | null }) => {
  const reading = protocol.parseTrackingQuery(pairs);
  expect(reading.ok ? reading.query.messageId : null).toBe(messageId);
});

type ErrorVector = protocol.WireErrorOptions & { name: protocol.ErrorName; status: number } & Bodies;

vectors('errors', (vector: ErrorVector) => {
  for (const version of [1, 2] as const) {
    const answer = protocol.wireError(vector.name, version, vector);
    expectJson(answer, vector.status, contentType(version), vector[`v${version}`]);
  }
});

const makers = {
  handshake: protocol.handshakeBody,
  send: protocol.sendBody,
  chunk: protocol.chunkBody,
  acknowledge: protocol.acknowledgeBody,
  inboxList: protocol.inboxListBody,
  count: protocol.countBody,
  endpointLookup: protocol.endpointLookupBody,
  workflowSearch: protocol.workflowSearchBody,
  mailbox: protocol.mailboxBody,
  health: protocol.healthBody,
  reset: protocol.resetBody,
  createdReport: protocol.createdReportBody,
  rich: protocol.richBody,
};
type AnswerVector = { make: keyof typeof makers; arguments: unknown[]; answer: { body: unknown } };

vectors('answers', ({ make, arguments: told, answer: expected }: AnswerVector) => {
  const answer = (makers[make] as (...told: unknown[]) => protocol.WireAnswer)(...told);
  const body: unknown = answer.body === '' ? null : JSON.parse(answer.body);
  expect({ ...answer, contentType: answer.contentType ?? null, body }).toStrictEqual(expected);
});

type TrackingVector = { view: protocol.TrackingView; details: unknown } & Record<protocol.Profile, Bodies | undefined>;

vectors('tracking', (vector: TrackingVector) => {
  for (const profile of ['live', 'sandbox'] as const) {
    for (const version of [1, 2] as const) {
      const expected = vector[profile]?.[`v${version}`];
      if (expected === undefined) continue;
      expectJson(protocol.trackingBody(vector.view, version, profile), 200, contentType(version), expected);
    }
  }
  expectJson(protocol.messageDetailsBody(vector.view), 200, 'application/json', vector.details);
});

type DownloadVector = { view: protocol.DownloadView; headers: Header; status: number; v1: string; v2: string };

vectors('download-headers', ({ view, headers, status, v1, v2 }: DownloadVector) => {
  const made = protocol.downloadHeaders(view);
  expect(Object.fromEntries(made)).toEqual(headers);
  expect(made).toHaveLength(Object.keys(headers).length);
  expect(protocol.downloadStatus(view)).toBe(status);
  expect([protocol.downloadContentType(view, 1), protocol.downloadContentType(view, 2)]).toEqual([v1, v2]);
});

describe('the vectors themselves', () => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));

  it('are all run, so that a new file cannot be forgotten', () => {
    expect(names.map((name) => name.slice(0, -'.json'.length)).toSorted()).toEqual([...run].toSorted());
  });

  it('hold every error of the catalogue', () => {
    const file = JSON.parse(readFileSync(new URL('errors.json', folder), 'utf8')) as { cases: { name: string }[] };
    expect(new Set(file.cases.map(({ name }) => name))).toEqual(new Set(protocol.errorNames));
  });

  it('say each what they are about, in a sentence of their own', () => {
    for (const name of names) {
      const file = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as { cases: { says: string }[] };
      const sentences = file.cases.map(({ says }) => says);
      expect(sentences.filter((says, index) => !says || sentences.indexOf(says) !== index)).toEqual([]);
    }
  });
});
