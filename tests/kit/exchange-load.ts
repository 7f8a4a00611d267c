import { setTimeout } from 'node:timers/promises';
import { HistoryRecorder } from './history-recorder.ts';
import type { MeshClient } from './mesh-client.ts';
import { bytesOf, RecordedMailbox, type SendResult, type Upload } from './recorded-mailbox.ts';
import { oneOf, type Random, wholeBetween } from './seeded-random.ts';

export interface ExchangeLoadOptions {
  readonly random: Random;
  /** Everybody sends to everybody, themselves included. */
  readonly mailboxes: readonly string[];
  /** Sizes of a chunk in bytes, chosen by chance: take some on both sides of the inline limit. */
  readonly chunkBytes: readonly number[];
  /** A message has 1 to so many chunks. */
  readonly chunksMax: number;
  readonly sendersPerMailbox: number;
  readonly readersPerMailbox: number;
  /** How long a server whose engines were just disturbed may take to be well again; none when absent. */
  readonly patienceMs?: number;
}

const readAtOnceMax = 8;
/** No more than a client has sockets. */
const atOnceMax = 8;
const acknowledgeChance = 0.8;
const askAgainMs = 100;

/**
 * Clients that send, list, download and acknowledge side by side over the lives of one server, and the history of it
 * all. Uploads that a death interrupted are ended in a later life, as a real sender would: an answered chunk is kept too.
 */
export class ExchangeLoad {
  readonly history: HistoryRecorder;
  readonly #options: ExchangeLoadOptions;
  #owners: readonly RecordedMailbox[] = [];
  #unfinished: { readonly from: string; readonly upload: Upload }[] = [];
  #untracked: { readonly from: string; readonly id: string }[] = [];
  #made = 0;

  constructor(options: ExchangeLoadOptions, history = new HistoryRecorder()) {
    this.#options = options;
    this.history = history;
  }

  /** The same clients with their own copy of the history: one past, looked at on several images of a disk. */
  fork(): ExchangeLoad {
    const fork = new ExchangeLoad(this.#options, this.history.fork());
    fork.#unfinished = this.#unfinished.map(({ from, upload }) => ({
      from,
      upload: { ...upload, stored: new Set(upload.stored) },
    }));
    fork.#untracked = [...this.#untracked];
    fork.#made = this.#made;
    return fork;
  }

  /** Turns to a server: `connect` gives the client of a mailbox. Connections to the one before are closed. */
  connect(connect: (mailbox: string) => MeshClient): void {
    this.disconnect();
    this.#owners = this.#options.mailboxes.map((mailbox) => new RecordedMailbox(connect(mailbox), this.history));
  }

  disconnect(): void {
    for (const { client } of this.#owners) client.close();
  }

  /** Works until `stop` is aborted; nothing is under way when it resolves. */
  async run(stop: AbortSignal): Promise<void> {
    const { sendersPerMailbox, readersPerMailbox } = this.#options;
    const workers = this.#owners.flatMap((owner) => [
      ...Array.from({ length: sendersPerMailbox }, () => repeat(stop, () => this.#sendNew(owner))),
      ...Array.from({ length: readersPerMailbox }, () => repeat(stop, () => this.#readSome(owner))),
    ]);
    await Promise.all(workers);
  }

  /** Sends one message of the load's kind and says what came of it. */
  async sendOne(from: string): Promise<string> {
    return this.#sendNew(this.#owner(from));
  }

  /** Ends interrupted uploads. Throws when one cannot be ended: its chunks were promised. */
  async resume(): Promise<void> {
    for (const { from, upload } of this.#unfinished.splice(0)) {
      const end = async (): Promise<SendResult | undefined> => {
        const result = await this.#owner(from).send(upload);
        return result === 'unfinished' ? undefined : result;
      };
      this.#keepTrack(from, upload, await this.#answered(end, `the end of the upload ${upload.key}`));
    }
  }

  /** Looks at everything that waits and tracks what was accepted since the last look. Throws when it is not answered. */
  async observe(): Promise<void> {
    for (const owner of this.#owners) {
      await sideBySide(await this.#listing(owner), (id) =>
        this.#answered(() => owner.download(id), `the download of ${id}`),
      );
    }
    await this.#track();
  }

  /** Acknowledges everything that waits and tracks the rest, so that looking stays quick over many lives. */
  async drain(): Promise<void> {
    for (const owner of this.#owners) {
      await sideBySide(await this.#listing(owner), (id) => owner.acknowledge(id));
      await this.#listing(owner);
    }
    await this.#track();
  }

  /** How often each status was answered by this server; 0 counts requests without an answer. */
  statuses(): ReadonlyMap<number, number> {
    const sum = new Map<number, number>();
    for (const { statuses } of this.#owners) {
      for (const [status, count] of statuses) sum.set(status, (sum.get(status) ?? 0) + count);
    }
    return sum;
  }

  async #track(): Promise<void> {
    await sideBySide(this.#untracked.splice(0), ({ from, id }) =>
      this.#answered(() => this.#owner(from).track(id), `tracking ${id}`),
    );
  }

  #listing(owner: RecordedMailbox): Promise<readonly string[]> {
    return this.#answered(() => owner.list(), `the listing of ${owner.mailbox}`);
  }

  /** What must be answered: at once, or as soon as the load's patience allows. */
  async #answered<Value>(ask: () => Promise<Value | undefined>, what: string): Promise<Value> {
    const giveUpAt = performance.now() + (this.#options.patienceMs ?? 0);
    for (;;) {
      const answer = await ask();
      if (answer !== undefined || performance.now() >= giveUpAt) return required(answer, what);
      await setTimeout(askAgainMs);
    }
  }

  #owner(mailbox: string): RecordedMailbox {
    return required(
      this.#owners.find((each) => each.mailbox === mailbox),
      mailbox,
    );
  }

  async #sendNew(owner: RecordedMailbox): Promise<string> {
    const { random, mailboxes, chunkBytes, chunksMax } = this.#options;
    this.#made += 1;
    const key = `${owner.mailbox}-${this.#made}`;
    // Most messages are small and whole, as in life; all kinds appear within a second of load.
    const count = random() < 0.75 ? 1 : wholeBetween(random, 1, chunksMax);
    const chunks = Array.from({ length: count }, (_, at) => bytesOf(key, at, oneOf(random, chunkBytes)));
    const upload: Upload = { key, to: oneOf(random, mailboxes), chunks, stored: new Set() };
    const result = await owner.send(upload);
    if (result === 'unfinished') this.#unfinished.push({ from: owner.mailbox, upload });
    else this.#keepTrack(owner.mailbox, upload, result);
    return result;
  }

  #keepTrack(from: string, { id }: Upload, result: string): void {
    if (result === 'accepted' && id !== undefined) this.#untracked.push({ from, id });
  }

  async #readSome(owner: RecordedMailbox): Promise<void> {
    for (const id of ((await owner.list()) ?? []).slice(0, readAtOnceMax)) {
      if ((await owner.download(id)) === 'got' && this.#options.random() < acknowledgeChance)
        await owner.acknowledge(id);
    }
  }
}

async function sideBySide<Item>(items: readonly Item[], act: (item: Item) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < items.length; at += atOnceMax) await Promise.all(items.slice(at, at + atOnceMax).map(act));
}

async function repeat(stop: AbortSignal, act: () => Promise<unknown>): Promise<void> {
  while (!stop.aborted) await act();
}

function required<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new Error(`a server without faults did not answer: ${what}`);
  return value;
}
