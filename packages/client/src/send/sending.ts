import { MeshError, type PayloadInput, parseUploadState, type SendOutcome, type UploadState } from '@openmesh/sdk';
import type { ControlFile } from '../control-file/control-file.ts';
import { verdicts } from '../control-file/outcomes.ts';
import type { OutgoingEntry } from '../journal/journal.ts';
import type { MailboxParts } from '../mailbox/mailbox-parts.ts';
import { reached, steps } from '../steps.ts';
import { beginEntry, failPair, type PairResult } from './fail-pair.ts';
import type { SendOrder } from './judge-pair.ts';
import type { PairSeen } from './out-folder.ts';
import { DataChanged } from './pair-payload.ts';
import { askForReference, resolveDoubt } from './resolve-doubt.ts';
import { readFault, type ServiceFault } from './service-fault.ts';

export interface Work {
  readonly pair: PairSeen;
  readonly control: ControlFile;
  readonly order: SendOrder;
  readonly source: PayloadInput;
  readonly sizeBytes: number;
  readonly signal: AbortSignal;
}

const remarkTexts: Readonly<Record<SendOrder['remarks'][number], string>> = {
  version: 'the Version of its control file is not 1.0',
  'subject-cut': 'its subject is longer than a subject may be and was cut',
};

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
    if (before === undefined) this.#remark(entry);
    try {
      const resumed = await this.#resume(entry);
      if ('kind' in resumed) return await this.#answered(entry, resumed);
      entry = resumed;
      return await this.#answered(entry, await this.#send(entry));
    } catch (error) {
      if (error instanceof DataChanged) this.#wait(entry);
      return await this.#faulted(entry, readFault(error));
    }
  }

  /** What is sent otherwise than it was written, or was written otherwise than it should be. */
  #remark({ pair }: OutgoingEntry): void {
    const { log, mailbox } = this.#parts;
    for (const remark of this.#work.order.remarks) {
      log({
        level: 'warn',
        event: 'control-file-remark',
        component: 'SendFilesService',
        mailbox: mailbox.id,
        text: `Pair ${pair} is sent, though ${remarkTexts[remark]}`,
        fields: { pair, remark },
      });
    }
  }

  /**
   * Goes on with an upload that an earlier life began. The entry to send under when there is none, or the service has
   * given it up: then the pair is sent anew, as another message, for this one can never be delivered.
   */
  async #resume(entry: OutgoingEntry): Promise<SendOutcome | OutgoingEntry> {
    const { service, config, journal, nowMs, newKey } = this.#parts;
    if (entry.state !== 'uploading' || entry.upload === null) return entry;
    try {
      return await service.resumeSend(this.#work.source, parseUploadState(JSON.parse(entry.upload)), {
        parallelChunks: config.parallelChunks,
        signal: this.#work.signal,
        onState: (state) => this.#chunkSent(entry, state),
      });
    } catch (error) {
      const isGivenUp = error instanceof MeshError && (error.status === 404 || error.code === 'state-unusable');
      if (!isGivenUp) throw error;
      return journal.change(entry.pair, {
        state: 'sending',
        messageId: null,
        upload: null,
        key: newKey(),
        changedMs: nowMs(),
      });
    }
  }

  #chunkSent({ pair }: OutgoingEntry, state: UploadState): void {
    const { journal, nowMs } = this.#parts;
    const { messageId } = state;
    journal.change(pair, { state: 'uploading', messageId, upload: JSON.stringify(state), changedMs: nowMs() });
    reached(steps.outChunk);
  }

  #send(entry: OutgoingEntry): Promise<SendOutcome> {
    const { service, config } = this.#parts;
    const { order, sizeBytes, signal } = this.#work;
    const chunked = order.mayChunk && sizeBytes > config.chunkBytes;
    return service.send(order.message, this.#work.source, {
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
    if (outcome.kind === 'sent') return this.#accepted(entry, outcome.messageId);
    // The entry stays `sending`: the next turn asks, or repeats under the same key.
    return await this.#faulted(entry, { ...readFault(outcome.cause), kind: 'passing' }, true);
  }

  #accepted(entry: OutgoingEntry, messageId: string): PairResult {
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
    if (entry.doubtfulSends > 0) this.#sayTwice(entry, messageId);
    const { control, order } = this.#work;
    return { kind: 'sent', bytes: this.#work.sizeBytes, filing: { entry: accepted, control, gzip: order.gzip } };
  }

  /** The first message has no id that anybody told us: what it is known by is the attempt it was sent under. */
  #sayTwice({ pair, key }: OutgoingEntry, messageId: string): void {
    this.#parts.log({
      level: 'warn',
      event: 'pair-sent-in-doubt',
      component: 'SendFilesService',
      mailbox: this.#parts.mailbox.id,
      text: `Pair ${pair} was sent again as message ${messageId}; if its first sending (attempt ${key}) arrived after all, the recipient has it twice`,
      fields: { pair, messageId, firstAttempt: key },
    });
  }

  async #faulted(entry: OutgoingEntry, fault: ServiceFault, inDoubt = false): Promise<PairResult> {
    if (fault.code === 'idempotency-key-reused') return await this.#keyReused(entry);
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
      return failPair(this.#parts, { pair, entry: named }, fault.verdict, control);
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

  /**
   * The service took this pair before, in other bytes on the way, such as those of another release's compression. Asked for
   * the sender's reference it says as which message; where it cannot, people decide.
   */
  async #keyReused(entry: OutgoingEntry): Promise<PairResult> {
    const resolved = await askForReference(this.#parts, entry, this.#work.signal);
    if (resolved.kind === 'accepted') return this.#accepted(entry, resolved.messageId);
    return this.#hold(entry);
  }

  #hold({ pair }: OutgoingEntry): PairResult {
    const { journal, log, mailbox, nowMs } = this.#parts;
    journal.change(pair, { state: 'held', changedMs: nowMs() });
    log({
      level: 'error',
      event: 'pair-held',
      component: 'SendFilesService',
      mailbox: mailbox.id,
      text: `Nobody can say whether pair ${pair} arrived; it is held. "openmesh-client status" names it, "retry" sends it again`,
      fields: { pair },
    });
    return { kind: 'left' };
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
        return this.#accepted(entry, resolved.messageId);
      case 'send':
        return entry;
      case 'send-in-doubt':
        return this.#parts.journal.change(entry.pair, {
          doubtfulSends: entry.doubtfulSends + 1,
          changedMs: this.#parts.nowMs(),
        });
      case 'hold':
        return this.#hold(entry);
      case 'fault':
        return { kind: 'fault', fault: resolved.fault };
    }
  }
}
