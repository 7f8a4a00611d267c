import { createHash } from 'node:crypto';
import type { HistoryRecorder } from './history-recorder.ts';
import { jsonOf, listedIdsOf, type MeshClient, type MeshReply, sentIdOf } from './mesh-client.ts';

/** A message on its way. What is in `stored` was answered with 202, which is a promise about that chunk already. */
export interface Upload {
  readonly key: string;
  readonly to: string;
  readonly chunks: readonly Buffer[];
  readonly stored: Set<number>;
  began?: number;
  id?: string;
}

/** 'unfinished': chunks are missing and the sender may go on; the others are outcomes, and in the history. */
export type SendResult = 'accepted' | 'refused' | 'unknown' | 'forgotten' | 'unfinished';

const pagesMax = 1000;
const workflowId = 'KIT_LOAD';

/** SHA-256 over the digests of the chunks, so that other boundaries are other bytes. */
export function digestOfChunks(chunks: readonly Uint8Array[]): string {
  const whole = createHash('sha256');
  for (const chunk of chunks) whole.update(createHash('sha256').update(chunk).digest());
  return whole.digest('hex');
}

/** Bytes made from the key alone, so that a stranger's bytes are never mistaken for one's own. */
export function bytesOf(key: string, chunk: number, sizeBytes: number): Buffer {
  return createHash('shake256', { outputLength: sizeBytes }).update(`${key}/${chunk}`).digest();
}

/** One mailbox's owner, who writes down what it did and saw. Requests without an answer are outcomes, not errors. */
export class RecordedMailbox {
  readonly client: MeshClient;
  readonly mailbox: string;
  /** How often each status was answered; 0 counts requests without an answer. */
  readonly statuses = new Map<number, number>();
  readonly #recorder: HistoryRecorder;

  constructor(client: MeshClient, recorder: HistoryRecorder) {
    this.client = client;
    this.mailbox = client.options.mailboxId;
    this.#recorder = recorder;
  }

  /** Sends what of the upload is not stored yet, one chunk after the other. */
  async send(upload: Upload): Promise<SendResult> {
    upload.began ??= this.#recorder.begin();
    if (upload.id === undefined) {
      const first = await this.#sendFirst(upload);
      if (first !== 'stored') return this.#outcome(upload, first);
    }
    for (const [at, bytes] of upload.chunks.entries()) {
      const chunk = at + 1;
      if (upload.stored.has(chunk)) continue;
      const reply = await this.#ask(() => this.client.sendChunk(upload.id ?? '', chunk, upload.chunks.length, bytes));
      if (reply === undefined || reply.status === 429 || reply.status >= 500) return 'unfinished';
      if (reply.status !== 202) return this.#outcome(upload, 'forgotten');
      upload.stored.add(chunk);
    }
    return this.#outcome(upload, 'accepted');
  }

  /** All pages; undefined when one of them was not answered with 200. */
  async list(): Promise<readonly string[] | undefined> {
    const began = this.#recorder.begin();
    const ids: string[] = [];
    let reply = await this.#ask(() => this.client.list());
    for (let page = 0; page < pagesMax; page += 1) {
      if (reply?.status !== 200) return undefined;
      ids.push(...listedIdsOf(reply));
      const next = (jsonOf(reply) as { readonly links?: { readonly next?: string } }).links?.next;
      if (next === undefined) {
        this.#recorder.end(began, { kind: 'list', mailbox: this.mailbox, ids });
        return ids;
      }
      reply = await this.#ask(() => this.client.requestAt('GET', next));
    }
    throw new Error(`the listing of ${this.mailbox} has no end`);
  }

  /** Every chunk of a message; undefined when one was not answered or refused for the moment. */
  async download(id: string): Promise<'got' | 'gone' | 'forbidden' | undefined> {
    const began = this.#recorder.begin();
    const chunks: Buffer[] = [];
    let key: string | undefined;
    for (let total = 1; chunks.length < total; ) {
      const chunk = chunks.length + 1;
      const reply = await this.#ask(() => this.client.downloadChunk(id, chunk));
      if (reply === undefined || reply.status === 429 || reply.status >= 500) return undefined;
      if (reply.status !== 200 && reply.status !== 206) {
        const outcome = reply.status === 403 ? 'forbidden' : 'gone';
        this.#recorder.end(began, { kind: 'download', mailbox: this.mailbox, id, outcome });
        return outcome;
      }
      total = Number(reply.headers['mex-total-chunks'] ?? 1);
      key = reply.headers['mex-localid'];
      chunks.push(reply.body);
    }
    const digest = digestOfChunks(chunks);
    const seen = { kind: 'download', mailbox: this.mailbox, id, outcome: 'got', digest } as const;
    this.#recorder.end(began, key === undefined ? seen : { ...seen, key });
    return 'got';
  }

  async acknowledge(id: string): Promise<'accepted' | 'unknown' | 'refused'> {
    const began = this.#recorder.begin();
    const reply = await this.#ask(() => this.client.acknowledge(id));
    const outcome = outcomeOf(reply, 200);
    // It says that nothing happened: whatever comes of the message must be somebody else's doing.
    if (reply?.status === 503) return outcome;
    this.#recorder.end(began, { kind: 'acknowledge', mailbox: this.mailbox, id, outcome });
    return outcome;
  }

  /** What the sender is told of its message; undefined when there was no answer. */
  async track(id: string): Promise<string | undefined> {
    const began = this.#recorder.begin();
    const reply = await this.#ask(() => this.client.track(id));
    if (reply === undefined || reply.status === 429 || reply.status >= 500) return undefined;
    const status =
      reply.status === 200 ? String((jsonOf(reply) as { readonly status?: string }).status).toLowerCase() : 'none';
    this.#recorder.end(began, { kind: 'track', id, status });
    return status;
  }

  async #sendFirst(upload: Upload): Promise<'stored' | 'refused' | 'unknown'> {
    const { key, to, chunks } = upload;
    const reply = await this.#ask(() =>
      this.client.send({ to, workflowId, localId: key, chunkRange: `1:${chunks.length}` }, chunks[0] ?? ''),
    );
    if (reply?.status === 202) {
      upload.id = sentIdOf(reply);
      upload.stored.add(1);
      return 'stored';
    }
    // Without its id a chunked upload cannot be ended by anybody, so it must never appear.
    return chunks.length > 1 || outcomeOf(reply, 202) === 'refused' ? 'refused' : 'unknown';
  }

  #outcome(upload: Upload, outcome: Exclude<SendResult, 'unfinished'>): SendResult {
    const { key, to, chunks, id, began = 0 } = upload;
    const sent = { kind: 'send', key, to, digest: digestOfChunks(chunks), outcome } as const;
    this.#recorder.end(began, id === undefined ? sent : { ...sent, id });
    return outcome;
  }

  async #ask(request: () => Promise<MeshReply>): Promise<MeshReply | undefined> {
    const reply = await request().catch(() => undefined);
    const status = reply?.status ?? 0;
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    return reply;
  }
}

/** A 503 says that nothing happened; any other 5xx leaves it open. */
function outcomeOf(reply: MeshReply | undefined, success: number): 'accepted' | 'unknown' | 'refused' {
  if (reply === undefined) return 'unknown';
  if (reply.status === success) return 'accepted';
  return reply.status >= 500 && reply.status !== 503 ? 'unknown' : 'refused';
}
