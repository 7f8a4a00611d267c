import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { LedgerFault } from '../../ledger.ts';
import { LedgerUnfit, ledgerUnfitCode } from '../../ledger-problem.ts';
import type { Caller } from '../commands/table.ts';
import { type BatchItem, type BatchReply, classifyOpening, type ThreadSettings } from './batch.ts';
import { packItems, unpackAnswers } from './envelope.ts';

export interface ThreadOptions extends ThreadSettings {
  /** Commands waiting, in flight included; beyond it the ledger answers 'unavailable'. */
  readonly queueMax: number;
  /** Commands sent to the thread together. */
  readonly batchMax: number;
  /** Requests being answered right now: as many commands may be about to come. */
  readonly companions?: () => number;
  readonly onBatch?: (batch: { readonly size: number; readonly tookMs: number }) => void;
  /** Called once, when the thread can no longer be trusted. */
  readonly onBroken: (reason: string) => void;
}

export interface LedgerThread<Table> {
  readonly call: Caller<Table>;
  /** Commands waiting or in flight. */
  waiting(): number;
  /** Lets what was asked be answered, then ends the thread; also one that can no longer be trusted. */
  close(): Promise<void>;
}

/** The longest a command waits for others to share its commit. */
const gatherMs = 2;

interface Waiting {
  readonly item: BatchItem;
  readonly resolve: (value: never) => void;
  readonly reject: (error: LedgerFault) => void;
}

/** Commands on their way to a thread: those that fly, and those that gather behind them. */
class CommandQueue {
  readonly #options: ThreadOptions;
  readonly #post: (items: readonly BatchItem[]) => void;
  #queue: Waiting[] = [];
  #flying: Waiting[] = [];
  #scheduled = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ThreadOptions, post: (items: readonly BatchItem[]) => void) {
    this.#options = options;
    this.#post = post;
  }

  get waiting(): number {
    return this.#queue.length + this.#flying.length;
  }

  add(waiting: Waiting): void {
    this.#queue.push(waiting);
    if (this.#flying.length > 0) return;
    if (!this.#scheduled) {
      this.#scheduled = true;
      // After this turn's events: requests that arrived together are committed together.
      setImmediate(this.#gather);
    } else if (this.#timer !== undefined && this.#queue.length >= this.#companions()) this.#send();
  }

  /** Takes the batch that was answered off the books and sends the next on its way. */
  landed(): readonly Waiting[] {
    const answered = this.#flying;
    this.#flying = [];
    if (this.#queue.length > 0 && !this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#gather);
    }
    return answered;
  }

  /** Gives up everything that was not answered. */
  abandon(): readonly Waiting[] {
    const lost = [...this.#flying, ...this.#queue];
    this.#flying = [];
    this.#queue = [];
    clearTimeout(this.#timer);
    return lost;
  }

  #companions(): number {
    return Math.min(this.#options.companions?.() ?? 0, this.#options.batchMax);
  }

  /** Others are on their way: a millisecond's wait for them is cheaper than a flush and a wake-up for each. */
  readonly #gather = (): void => {
    const complete = this.#queue.length >= this.#companions();
    if (this.#flying.length > 0 || complete) this.#send();
    else this.#timer = setTimeout(this.#send, gatherMs);
  };

  readonly #send = (): void => {
    this.#scheduled = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#flying.length > 0 || this.#queue.length === 0) return;
    this.#flying = this.#queue.splice(0, this.#options.batchMax);
    this.#post(this.#flying.map(({ item }) => item));
  };
}

/**
 * Starts a thread with its own connection. While one batch is being committed the next gathers, so that the number of
 * flushes falls as the load rises.
 */
export async function startThread<Table>(options: ThreadOptions): Promise<LedgerThread<Table>> {
  const { path, role, cacheMebibytes, lockTimeoutMs } = options;
  const workerData: ThreadSettings = { path, role, cacheMebibytes, lockTimeoutMs };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData, name: `ledger-${role}` });
  await opened(worker);
  const queue = new CommandQueue(options, (items) => worker.postMessage(packItems(items)));
  let state: 'open' | 'closing' | 'ended' = 'open';
  let settled: (() => void) | undefined;

  const fail = (reason: string): void => {
    if (state === 'ended') return;
    state = 'ended';
    for (const { reject } of queue.abandon()) reject(new LedgerFault('broken', reason));
    settled?.();
    options.onBroken(reason);
  };

  worker.on('message', (reply: BatchReply) => {
    const answered = queue.landed();
    options.onBatch?.({ size: answered.length, tookMs: reply.tookMs });
    settle(answered, reply);
    if (reply.broken) fail('a write or a flush of the ledger failed');
    else if (state === 'closing' && queue.waiting === 0) settled?.();
  });
  worker.on('error', (error) => fail(`the ledger thread failed: ${error.message}`));
  const exited = new Promise<void>((resolve) => {
    worker.on('exit', () => {
      fail('the ledger thread ended');
      resolve();
    });
  });

  const end = async (): Promise<void> => {
    if (state === 'open') {
      state = 'closing';
      if (queue.waiting > 0) await new Promise<void>((resolve) => (settled = resolve));
    }
    state = 'ended';
    worker.postMessage('close');
    await exited;
  };
  let ending: Promise<void> | undefined;

  const call = (name: string, ...args: readonly unknown[]): Promise<never> => {
    if (state !== 'open') return Promise.reject(new LedgerFault('unavailable', 'the ledger is closed'));
    if (queue.waiting >= options.queueMax)
      return Promise.reject(new LedgerFault('unavailable', 'the ledger has as many commands waiting as it may'));
    return new Promise<never>((resolve, reject) => queue.add({ item: { name, args }, resolve, reject }));
  };

  return {
    call: call as unknown as Caller<Table>,
    waiting: () => queue.waiting,
    close: () => (ending ??= end()),
  };
}

/** Throws `LedgerFault` when it cannot be opened for the time being: there is no room, or another has it; `LedgerUnfit`. */
async function opened(worker: Worker): Promise<void> {
  try {
    await once(worker, 'message');
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: unknown };
    if (code === ledgerUnfitCode) throw new LedgerUnfit(String(message));
    const kind = classifyOpening(error);
    if (kind !== 'full' && kind !== 'unavailable') throw error;
    throw new LedgerFault(kind, error instanceof Error ? error.message : String(error));
  }
}

function settle(answered: readonly Waiting[], reply: BatchReply): void {
  const answers = unpackAnswers(reply.answers);
  for (const [index, { resolve, reject }] of answered.entries()) {
    const answer = answers[index];
    if (answer === undefined) reject(new LedgerFault('defect', 'the ledger thread lost an answer'));
    else if (answer.ok) resolve(answer.value as never);
    else reject(new LedgerFault(answer.kind, answer.message));
  }
}
