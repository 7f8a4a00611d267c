import { join } from 'node:path';
import { MeshError, type PayloadSource, parseUploadState, type SendOutcome, type UploadState } from '@openmesh/sdk';
import type { ControlFile } from '../control-file/control-file.ts';
import { verdicts } from '../control-file/outcomes.ts';
import type { OutgoingEntry } from '../journal/journal.ts';
import type { MailboxParts } from '../mailbox/mailbox-parts.ts';
import { reached, steps } from '../steps.ts';
import { beginEntry, failPair, type PairResult } from './fail-pair.ts';
import { filePair } from './file-pair.ts';
import type { SendOrder } from './judge-pair.ts';
import type { PairSeen } from './out-folder.ts';
import { DataChanged, dataSource } from './pair-payload.ts';
import { resolveDoubt } from './resolve-doubt.ts';
import { readFault, type ServiceFault } from './service-fault.ts';

export interface Work {
  readonly pair: PairSeen;
  readonly control: ControlFile;
  readonly order: SendOrder;
  readonly sizeBytes: number;
  readonly signal: AbortSignal;
}

/** One attempt at one pair that can be sent. */
export class Sending {
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
      const resumed = await this.#resume(entry);
      return await this.#answered(entry, resumed ?? (await this.#send(entry)));
    } catch (error) {
      if (error instanceof DataChanged) this.#wait(entry);
      return await this.#faulted(entry, readFault(error));
    }
  }

  /**
   * Goes on with an upload that an earlier life began. Undefined when there is none, or the service has given it up: then
   * the pair is sent anew, as another message, for this one can never be delivered.
   */
  async #resume(entry: OutgoingEntry): Promise<SendOutcome | undefined> {
    const { service, config, journal, nowMs, newKey } = this.#parts;
    if (entry.state !== 'uploading' || entry.upload === null) return undefined;
    try {
      return await service.resumeSend(this.#source(), parseUploadState(JSON.parse(entry.upload)), {
        parallelChunks: config.parallelChunks,
        signal: this.#work.signal,
        onState: (state) => this.#chunkSent(entry, state),
      });
    } catch (error) {
      const isGivenUp = error instanceof MeshError && (error.status === 404 || error.code === 'state-unusable');
      if (!isGivenUp) throw error;
      journal.change(entry.pair, {
        state: 'sending',
        messageId: null,
        upload: null,
        key: newKey(),
        changedMs: nowMs(),
      });
      return undefined;
    }
  }

  #chunkSent({ pair }: OutgoingEntry, state: UploadState): void {
    const { journal, nowMs } = this.#parts;
    const { messageId } = state;
    journal.change(pair, { state: 'uploading', messageId, upload: JSON.stringify(state), changedMs: nowMs() });
    reached(steps.outChunk);
  }

  #source(): PayloadSource {
    const { pair } = this.#work;
    return dataSource(join(this.#parts.tree.out, pair.dataName ?? ''), pair.data?.print ?? '');
  }

  #send({ pair }: OutgoingEntry): Promise<SendOutcome> {
    const { service, config, journal } = this.#parts;
    const { order, sizeBytes, signal } = this.#work;
    const entry = journal.find(pair);
    if (entry === undefined) throw new Error(`pair ${pair} is being sent without an entry`);
    const chunked = order.mayChunk && sizeBytes > config.chunkBytes;
    return service.send(order.message, this.#source(), {
      gzip: order.gzip,
      chunkBytes: chunked ? config.chunkBytes : Math.max(1, sizeBytes),
      parallelChunks: config.parallelChunks,
      idempotencyKey: entry.key,
      signal,
      onState: (state) => this.#chunkSent(entry, state),
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
      const named =
        fault.messageId === undefined
          ? entry
          : journal.change(entry.pair, { messageId: fault.messageId, changedMs: nowMs() });
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
