import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { SendOutcome } from '@openmesh/sdk';
import type { ControlFile } from '../control-file/control-file.ts';
import { type Verdict, verdicts } from '../control-file/outcomes.ts';
import { ControlFileFault, readControlFile } from '../control-file/read-control-file.ts';
import type { OutgoingEntry } from '../journal/journal.ts';
import type { MailboxParts } from '../mailbox/mailbox-parts.ts';
import { reached, steps } from '../steps.ts';
import { filePair } from './file-pair.ts';
import { isOrder, judgePair, type SendOrder } from './judge-pair.ts';
import { DataChanged, dataSource } from './open-data.ts';
import type { PairSeen } from './out-folder.ts';
import { resolveDoubt } from './resolve-doubt.ts';
import { readFault, type ServiceFault } from './service-fault.ts';

/** What became of one look at a pair. */
export type PairResult =
  | { readonly kind: 'sent'; readonly bytes: number }
  | { readonly kind: 'failed'; readonly code: string }
  /** It stays in OUT for a reason of its own: half written, changed, or held in doubt. */
  | { readonly kind: 'left' }
  /** It stays in OUT because of the service, and so does whatever follows it. */
  | { readonly kind: 'fault'; readonly fault: ServiceFault };

/** A pair ready to be sent, and its entry where it was tried before. */
export interface PairAtHand {
  readonly pair: PairSeen;
  readonly entry: OutgoingEntry | undefined;
}

/** Sends one pair and files it, or leaves it where it lies. What is done at each step is in the journal before it is done. */
export async function sendPair(parts: MailboxParts, { pair, entry }: PairAtHand, signal: AbortSignal): Promise<PairResult> {
  const { tree, config } = parts;
  if (config.strictServerRetry && entry?.state === 'waiting' && entry.failedCycles >= config.serverRetry) {
    return await failPair(parts, { pair, entry }, verdicts.retriesUsedUp, await readControl(join(tree.out, pair.controlName)));
  }
  if (pair.dataName === undefined || pair.data === undefined) {
    return await failPair(parts, { pair, entry }, verdicts.dataMissing, undefined);
  }
  const control = await readControl(join(tree.out, pair.controlName));
  if (control === undefined) {
    if (pair.unchangedMs < config.controlGraceMs) return { kind: 'left' };
    return await failPair(parts, { pair, entry }, verdicts.controlUnreadable, undefined);
  }
  const order = judgePair(control, pair.dataName, {
    mailbox: parts.mailbox.id,
    compressByDefault: config.compressByDefault,
    chunkingByDefault: config.chunkingByDefault,
  });
  if (!isOrder(order)) return await failPair(parts, { pair, entry }, order, control);
  const source = dataSource(join(tree.out, pair.dataName), pair.data.print);
  try {
    const refused = await judgeSize(parts, order, pair.data.sizeBytes, source);
    if (refused !== undefined) return await failPair(parts, { pair, entry }, refused, control);
    return await new Sending(parts, { pair, control, order, sizeBytes: pair.data.sizeBytes, signal }).run(entry);
  } catch (error) {
    // It is looked at again, as it is then.
    if (error instanceof DataChanged) return { kind: 'left' };
    throw error;
  }
}

/** Undefined when it cannot be read as a control file. */
export async function readControl(path: string): Promise<ControlFile | undefined> {
  try {
    return readControlFile(await readFile(path));
  } catch (error) {
    if (error instanceof ControlFileFault || ['EISDIR', 'EACCES', 'EPERM', 'ENOENT'].includes(String((error as NodeJS.ErrnoException).code))) {
      return undefined;
    }
    throw error;
  }
}

/** Puts a pair that cannot be sent into FAILED, with one report. */
async function failPair(
  parts: MailboxParts,
  { pair, entry }: PairAtHand,
  verdict: Verdict,
  control: ControlFile | undefined,
): Promise<PairResult> {
  const outcome = { ...verdict, atMs: parts.nowMs() };
  const refused =
    entry === undefined
      ? beginEntry(parts, pair, { state: 'refused', localId: null, outcome })
      : parts.journal.change(entry.pair, { state: 'refused', outcome, changedMs: outcome.atMs });
  reached(steps.outDecided);
  await filePair(parts, { entry: refused, control, gzip: false });
  return { kind: 'failed', code: verdict.statusCode };
}

function beginEntry(
  { journal, mailbox, nowMs, newKey }: MailboxParts,
  pair: PairSeen,
  more: Pick<OutgoingEntry, 'state' | 'localId' | 'outcome'>,
): OutgoingEntry {
  return journal.begin({
    mailbox: mailbox.id,
    base: pair.base,
    controlName: pair.controlName,
    dataName: pair.dataName ?? null,
    controlPrint: pair.control.print,
    dataPrint: pair.data?.print ?? null,
    key: newKey(),
    changedMs: nowMs(),
    ...more,
  });
}

async function judgeSize(
  { config }: MailboxParts,
  order: SendOrder,
  sizeBytes: number,
  source: ReturnType<typeof dataSource>,
): Promise<Verdict | undefined> {
  // An empty file that was packed would be 20 bytes, which a service would take.
  if (sizeBytes === 0 && !config.allowEmpty) return verdicts.dataMissing;
  if (sizeBytes > config.messageBytesMax) return verdicts.tooLarge;
  if (order.mayChunk || sizeBytes <= config.wholeBytesMax) return undefined;
  if (!order.gzip || sizeBytes > wholeSourceBytesMax) return verdicts.tooLargeForOneMessage;
  return (await packedBytes(source)) > config.wholeBytesMax ? verdicts.tooLargeForOneMessage : undefined;
}

/** The most that fits into one request before it is packed. */
const wholeSourceBytesMax = 99 * 1024 * 1024;

async function packedBytes(source: ReturnType<typeof dataSource>): Promise<number> {
  const payload = await source.open(undefined);
  let bytes = 0;
  const count = new Writable({
    write(block: Buffer, _encoding, done) {
      bytes += block.length;
      done();
    },
  });
  try {
    await pipeline(Readable.from(payload.read({ start: 0, end: payload.sizeBytes }, undefined)), createGzip(), count);
    return bytes;
  } finally {
    await payload.close();
  }
}

interface Work {
  readonly pair: PairSeen;
  readonly control: ControlFile;
  readonly order: SendOrder;
  readonly sizeBytes: number;
  readonly signal: AbortSignal;
}

/** One attempt at one pair that can be sent. */
class Sending {
  readonly #parts: MailboxParts;
  readonly #work: Work;

  constructor(parts: MailboxParts, work: Work) {
    this.#parts = parts;
    this.#work = work;
  }

  async run(before: OutgoingEntry | undefined): Promise<PairResult> {
    const { journal, nowMs } = this.#parts;
    const { pair, order } = this.#work;
    let entry = before;
    if (entry?.state === 'sending') {
      const resolved = await this.#resolve(entry);
      if ('kind' in resolved) return resolved;
      entry = resolved;
    }
    entry =
      entry === undefined
        ? beginEntry(this.#parts, pair, { state: 'sending', localId: order.message.localId ?? null, outcome: null })
        : entry.state === 'uploading'
          ? entry
          : journal.change(entry.pair, { state: 'sending', changedMs: nowMs() });
    reached(steps.outJournaled);
    try {
      return await this.#answered(entry, await this.#send(entry));
    } catch (error) {
      if (error instanceof DataChanged) this.#wait(entry);
      return await this.#faulted(entry, readFault(error));
    }
  }

  #send(entry: OutgoingEntry): Promise<SendOutcome> {
    const { service, config, journal, nowMs } = this.#parts;
    const { order, pair, sizeBytes, signal } = this.#work;
    const source = dataSource(join(this.#parts.tree.out, pair.dataName ?? ''), pair.data?.print ?? '');
    const chunked = order.mayChunk && sizeBytes > config.chunkBytes;
    return service.send(order.message, source, {
      gzip: order.gzip,
      chunkBytes: chunked ? config.chunkBytes : Math.max(1, sizeBytes),
      parallelChunks: config.parallelChunks,
      idempotencyKey: entry.key,
      signal,
      onState: (state) => {
        const { messageId } = state;
        journal.change(entry.pair, { state: 'uploading', messageId, upload: JSON.stringify(state), changedMs: nowMs() });
        reached(steps.outChunk);
      },
    });
  }

  async #answered(entry: OutgoingEntry, outcome: SendOutcome): Promise<PairResult> {
    reached(steps.outAnswered);
    if (outcome.kind === 'sent') return await this.#accepted(entry, outcome.messageId);
    // The entry stays `sending`: the next turn asks, or repeats under the same key.
    return await this.#faulted(entry, { ...readFault(outcome.cause), kind: 'passing' }, true);
  }

  async #accepted(entry: OutgoingEntry, messageId: string): Promise<PairResult> {
    const { journal, nowMs } = this.#parts;
    const outcome = { ...verdicts.transferred, atMs: nowMs() };
    const accepted = journal.change(entry.pair, { state: 'accepted', messageId, outcome, changedMs: outcome.atMs });
    reached(steps.outDecided);
    this.#parts.log({
      level: 'info',
      event: 'pair-sent',
      component: 'SendFilesService',
      mailbox: this.#parts.mailbox.id,
      text: `Sent pair ${entry.pair} as message ${messageId}`,
      fields: { pair: entry.pair, messageId, bytes: this.#work.sizeBytes },
    });
    const { control, order } = this.#work;
    await filePair(this.#parts, { entry: accepted, control, gzip: order.gzip });
    return { kind: 'sent', bytes: this.#work.sizeBytes };
  }

  async #faulted(entry: OutgoingEntry, fault: ServiceFault, inDoubt = false): Promise<PairResult> {
    const { journal, nowMs, log, mailbox } = this.#parts;
    if (fault.kind === 'refused' && fault.verdict !== undefined) {
      const { pair, control } = this.#work;
      log({
        level: 'warn',
        event: 'pair-refused',
        component: 'SendFilesService',
        mailbox: mailbox.id,
        text: `The service refused pair ${entry.pair} with code ${fault.verdict.statusCode}; it goes to FAILED`,
        fields: { pair: entry.pair, code: fault.verdict.statusCode, messageId: fault.messageId },
      });
      const named = fault.messageId === undefined ? entry : journal.change(entry.pair, { messageId: fault.messageId, changedMs: nowMs() });
      return await failPair(this.#parts, { pair, entry: named }, fault.verdict, control);
    }
    if (fault.kind === 'stopped') {
      return { kind: 'fault', fault };
    }
    const current = journal.find(entry.pair) ?? entry;
    // A request that certainly had no effect leaves nothing to ask about later.
    if (!inDoubt && current.state === 'sending') this.#wait(entry);
    if (fault.kind === 'local') return { kind: 'left' };
    journal.change(entry.pair, { failedCycles: current.failedCycles + 1, changedMs: nowMs() });
    return { kind: 'fault', fault };
  }

  #wait(entry: OutgoingEntry): void {
    this.#parts.journal.change(entry.pair, { state: 'waiting', changedMs: this.#parts.nowMs() });
  }

  /** The entry to go on with, or what became of it. */
  async #resolve(entry: OutgoingEntry): Promise<OutgoingEntry | PairResult> {
    const { signal } = this.#work;
    const resolved = await resolveDoubt(this.#parts, entry, signal);
    switch (resolved.kind) {
      case 'accepted':
        return await this.#accepted(entry, resolved.messageId);
      case 'send':
        return entry;
      case 'hold':
        this.#parts.journal.change(entry.pair, { state: 'held', changedMs: this.#parts.nowMs() });
        return { kind: 'left' };
      case 'fault':
        return { kind: 'fault', fault: resolved.fault };
    }
  }
}
