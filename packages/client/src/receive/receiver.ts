import { type InboxPage, MeshError } from '@openmesh/sdk';
import { codeOf } from '../folders/durable.ts';
import type { MailboxParts } from '../mailbox/mailbox-parts.ts';
import type { Stopping } from '../mailbox/stopping.ts';
import { readFault, type ServiceFault } from '../send/service-fault.ts';
import { finishDelivery, receiveMessage } from './receive-message.ts';

export interface ReceiveTurn {
  readonly received: number;
  /** The inbox held more than one turn takes: the next should follow at once. */
  readonly hasMore: boolean;
  readonly fault: ServiceFault | undefined;
  /** Code of the system when the disk or a folder refused: nothing more is received until it is mended. */
  readonly diskFault: string | undefined;
}

/** The receiving side of one mailbox: lists the inbox and takes its messages one by one, oldest first. */
export class Receiver {
  readonly #parts: MailboxParts;

  constructor(parts: MailboxParts) {
    this.#parts = parts;
  }

  async turn(stopping: Stopping): Promise<ReceiveTurn> {
    const turn = { received: 0 };
    try {
      await this.#finishBegun(stopping.now);
      const hasMore = await this.#takeSome(turn, stopping);
      if (turn.received > 0) this.#say(turn.received);
      return { received: turn.received, hasMore, fault: undefined, diskFault: undefined };
    } catch (error) {
      if (turn.received > 0) this.#say(turn.received);
      return { received: turn.received, hasMore: false, ...sortFault(error) };
    }
  }

  /**
   * As many as one turn may take, page after page: those that cannot be had count for nothing, or as many of them would
   * keep all others from coming. True when the inbox holds more that this turn has not tried.
   */
  async #takeSome(turn: { received: number }, { soon, now }: Stopping): Promise<boolean> {
    const { maxMessages } = this.#parts.config;
    const tried = new Set<string>();
    const refusals = new Refusals();
    let continueFrom: string | undefined;
    for (let pages = 0; pages < pagesMax; pages += 1) {
      const page = await this.#list(continueFrom, now);
      const fresh = page.messages.filter((messageId) => !tried.has(messageId));
      for (const messageId of fresh) {
        if (soon.aborted) return false;
        if (turn.received >= maxMessages) return true;
        tried.add(messageId);
        const result = await this.#receive(messageId, now, refusals);
        if (result === undefined) continue;
        refusals.disprove();
        turn.received += 1;
        this.#count(result);
      }
      if (page.next === undefined) {
        refusals.throwUnlessDisproved();
        return false;
      }
      if (turn.received >= maxMessages) return true;
      // A service may begin anew where what it should go on from has left the list.
      if (page.messages.length > 0 && fresh.length === 0) return false;
      continueFrom = page.next;
    }
    return false;
  }

  async #list(continueFrom: string | undefined, signal: AbortSignal): Promise<InboxPage> {
    const { config, service, counters, mailbox, nowMs } = this.#parts;
    const maxResults = Math.min(Math.max(config.maxMessages, listMin), listMax);
    const page = await service.list({ maxResults, continueFrom }, { signal });
    counters.lastPoll.set({ mailbox: mailbox.id }, Math.floor(nowMs() / 1000));
    if (page.unusable > 0) this.#sayUnusable(page.unusable);
    return page;
  }

  /** A message that cannot be had must not keep those behind it from coming: it is said, and tried with the next poll. */
  async #receive(messageId: string, signal: AbortSignal, refusals: Refusals) {
    try {
      return await receiveMessage(this.#parts, messageId, signal);
    } catch (error) {
      if (!isOfThisMessage(error)) {
        if (!isPerhapsOfThisMessage(error)) throw error;
        refusals.add(error);
      }
      const text = `Message ${messageId} could not be fetched (${error.code}): ${error.message}. ${error.hint}`;
      this.#sayNotFetched(text, { messageId, code: error.code });
      return undefined;
    }
  }

  #sayUnusable(count: number): void {
    const text = `The inbox lists ${count} messages whose ids are none, so that they cannot be asked for; ask the service desk`;
    this.#sayNotFetched(text, { count });
  }

  #sayNotFetched(text: string, fields: Readonly<Record<string, string | number>>): void {
    const { log, mailbox, counters } = this.#parts;
    log({
      level: 'error',
      event: 'message-not-fetched',
      component: 'MailboxProcessor',
      mailbox: mailbox.id,
      text,
      fields,
    });
    counters.faults.inc({ mailbox: mailbox.id, direction: 'in', kind: 'message' });
  }

  /** What an earlier life of this process began: files half moved, words not passed on. */
  async #finishBegun(signal: AbortSignal): Promise<void> {
    for (const entry of this.#parts.journal.unacknowledged(this.#parts.mailbox.id)) {
      if (entry.state !== 'fetching') await finishDelivery(this.#parts, entry, signal);
    }
  }

  #count({ isReport, bytes }: { isReport: boolean; bytes: number }): void {
    const { counters, mailbox } = this.#parts;
    counters.received.inc({ mailbox: mailbox.id, type: isReport ? 'report' : 'data' });
    counters.receivedBytes.inc({ mailbox: mailbox.id }, bytes);
  }

  /** With the two blanks that monitors have learnt to look for. */
  #say(received: number): void {
    const { log, mailbox } = this.#parts;
    const text = `Received  ${received} files for Mailbox:${mailbox.id}.`;
    log({
      level: 'info',
      event: 'files-received',
      component: 'MailboxProcessor',
      mailbox: mailbox.id,
      text,
      fields: { count: received },
    });
  }
}

/** What a service takes for the length of a page. */
const [listMin, listMax] = [10, 5000];
/** Far more than an inbox has. */
const pagesMax = 10_000;

const ofOneMessage: ReadonlySet<string> = new Set(['content-damaged', 'unexpected-answer', 'answer-too-large']);

function isOfThisMessage(error: unknown): error is MeshError {
  if (!(error instanceof MeshError) || error.operation !== 'download') return false;
  return error.status === 404 || error.status === 410 || ofOneMessage.has(error.code);
}

/** What a service answers that fails over one message, or fails altogether. */
const perhapsOfOneMessage: ReadonlySet<number | undefined> = new Set([400, 409, 423, 500, 501]);

function isPerhapsOfThisMessage(error: unknown): error is MeshError {
  return error instanceof MeshError && error.operation === 'download' && perhapsOfOneMessage.has(error.status);
}

/** Tells a service that fails over some messages from one that fails altogether: of the first, others can be had. */
class Refusals {
  #last: MeshError | undefined;
  #inRow = 0;
  #isDisproved = false;

  /** Throws it when so many came one after another. */
  add(error: MeshError): void {
    this.#last = error;
    this.#inRow += 1;
    if (this.#inRow >= refusalsInRowMax) throw error;
  }

  disprove(): void {
    this.#inRow = 0;
    this.#isDisproved = true;
  }

  throwUnlessDisproved(): void {
    if (this.#last !== undefined && !this.#isDisproved) throw this.#last;
  }
}

const refusalsInRowMax = 10;

function sortFault(error: unknown): Pick<ReceiveTurn, 'fault' | 'diskFault'> {
  const code = error instanceof MeshError && error.code === 'file-unusable' ? codeOf(error.cause) : codeOf(error);
  // The system's own codes are short words in capitals; anything else that is no fault of the service is a defect.
  if (/^E[A-Z0-9]+$/.test(code)) return { fault: undefined, diskFault: code };
  return { fault: readFault(error), diskFault: undefined };
}
