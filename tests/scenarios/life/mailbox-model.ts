export type ModelState = 'uploading' | 'accepted' | 'acknowledged' | 'undeliverable' | 'error';

export interface ModelMessage {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** What was last stored as each chunk; undefined while it is missing. */
  readonly chunks: (Buffer | undefined)[];
  state: ModelState;
  /** Hours of the model's clock: when it was begun, or accepted from then on. */
  sinceHours: number;
}

/** One line of an inbox: a message, or a report whose id is known only once it was listed. */
export interface ModelEntry {
  id: string | undefined;
  /** The message a report is about; undefined for a message. */
  readonly about: string | undefined;
  readonly sinceHours: number;
}

const expiryHours = 5 * 24;
const hideHours = 30 * 24;

/** What a careful person with paper and pencil would say about these mailboxes. */
export class MailboxModel {
  readonly mailboxes: readonly string[];
  readonly messages: ModelMessage[] = [];
  readonly inboxes: ReadonlyMap<string, ModelEntry[]>;
  hours = 0;

  constructor(mailboxes: readonly string[]) {
    this.mailboxes = mailboxes;
    this.inboxes = new Map(mailboxes.map((mailbox) => [mailbox, []]));
  }

  inbox(mailbox: string): ModelEntry[] {
    return this.inboxes.get(mailbox) ?? [];
  }

  sent(id: string, from: string, to: string, first: Buffer, total: number): void {
    const chunks = Array.from({ length: total }, (_each, at) => (at === 0 ? first : undefined));
    const message: ModelMessage = { id, from, to, chunks, state: 'uploading', sinceHours: this.hours };
    this.messages.push(message);
    this.#completeIfWhole(message);
  }

  stored(message: ModelMessage, chunk: number, bytes: Buffer): void {
    message.chunks[chunk - 1] = bytes;
    this.#completeIfWhole(message);
  }

  acknowledged(mailbox: string, id: string): void {
    const message = this.messages.find((each) => each.id === id);
    if (message?.state === 'accepted') message.state = 'acknowledged';
    this.#remove(mailbox, id);
  }

  /** Lets time pass, and does what is due then: expiry, reports, uploads given up. */
  pass(hours: number): void {
    this.hours += hours;
    for (const entries of this.inboxes.values()) {
      const stay = entries.filter((entry) => !this.#isOver(entry.sinceHours));
      entries.splice(0, entries.length, ...stay);
    }
    for (const message of this.messages) {
      if (!this.#isOver(message.sinceHours)) continue;
      if (message.state === 'accepted') this.#fail(message, 'undeliverable');
      else if (message.state === 'uploading') this.#fail(message, 'error');
    }
  }

  isHidden(message: ModelMessage): boolean {
    return this.hours - message.sinceHours >= hideHours;
  }

  #isOver(sinceHours: number): boolean {
    return this.hours - sinceHours >= expiryHours;
  }

  #fail(message: ModelMessage, state: 'undeliverable' | 'error'): void {
    message.state = state;
    this.inbox(message.from).push({ id: undefined, about: message.id, sinceHours: this.hours });
  }

  #completeIfWhole(message: ModelMessage): void {
    if (message.chunks.includes(undefined)) return;
    message.state = 'accepted';
    message.sinceHours = this.hours;
    this.inbox(message.to).push({ id: message.id, about: undefined, sinceHours: this.hours });
  }

  #remove(mailbox: string, id: string): void {
    const entries = this.inbox(mailbox);
    const at = entries.findIndex((entry) => entry.id === id);
    if (at !== -1) entries.splice(at, 1);
  }
}
