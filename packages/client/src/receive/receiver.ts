import { MeshError } from '@openmesh/sdk';
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

  async turn({ soon, now }: Stopping): Promise<ReceiveTurn> {
    let received = 0;
    try {
      await this.#finishBegun(now);
      const { maxMessages } = this.#parts.config;
      const page = await this.#parts.service.list({ maxResults: Math.max(listMin, maxMessages) }, { signal: now });
      this.#parts.counters.lastPoll.set({ mailbox: this.#parts.mailbox.id }, Math.floor(this.#parts.nowMs() / 1000));
      const some = page.messages.slice(0, maxMessages);
      for (const messageId of some) {
        if (soon.aborted) break;
        const result = await this.#receive(messageId, now);
        if (result === undefined) continue;
        received += 1;
        this.#count(result);
      }
      if (received > 0) this.#say(received);
      const hasMore = page.next !== undefined || page.messages.length > some.length;
      return { received, hasMore, fault: undefined, diskFault: undefined };
    } catch (error) {
      if (received > 0) this.#say(received);
      return { received, hasMore: false, ...sortFault(error) };
    }
  }

  /** A message that cannot be had must not keep those behind it from coming: it is said, and tried with the next poll. */
  async #receive(messageId: string, signal: AbortSignal) {
    try {
      return await receiveMessage(this.#parts, messageId, signal);
    } catch (error) {
      if (!isOfThisMessage(error)) throw error;
      const { log, mailbox } = this.#parts;
      const text = `Message ${messageId} could not be fetched (${error.code}): ${error.message}. ${error.hint}`;
      log({
        level: 'error',
        event: 'message-not-fetched',
        component: 'MailboxProcessor',
        mailbox: mailbox.id,
        text,
        fields: { messageId, code: error.code },
      });
      this.#parts.counters.faults.inc({ mailbox: mailbox.id, direction: 'in', kind: 'message' });
      return undefined;
    }
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

const listMin = 10;

const ofOneMessage: ReadonlySet<string> = new Set(['content-damaged', 'unexpected-answer', 'answer-too-large']);

function isOfThisMessage(error: unknown): error is MeshError {
  if (!(error instanceof MeshError) || error.operation !== 'download') return false;
  return error.status === 404 || error.status === 410 || ofOneMessage.has(error.code);
}

function sortFault(error: unknown): Pick<ReceiveTurn, 'fault' | 'diskFault'> {
  const code = error instanceof MeshError && error.code === 'file-unusable' ? codeOf(error.cause) : codeOf(error);
  // The system's own codes are short words in capitals; anything else that is no fault of the service is a defect.
  if (/^E[A-Z0-9]+$/.test(code)) return { fault: undefined, diskFault: code };
  return { fault: readFault(error), diskFault: undefined };
}
