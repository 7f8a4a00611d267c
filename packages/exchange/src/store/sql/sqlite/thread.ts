import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { LedgerFault } from '../../ledger.ts';
import type { Caller } from '../commands/table.ts';
import type { BatchItem, BatchReply, ThreadSettings } from './batch.ts';

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
  /** Lets what was asked be answered, then ends the thread. */
  close(): Promise<void>;
}

/** The longest a command waits for others to share its commit. */
const gatherMs = 1;

interface Waiting {
  readonly item: BatchItem;
  readonly resolve: (value: never) => void;
  readonly reject: (error: LedgerFault) => void;
}

/**
 * Starts a thread with its own connection. While one batch is being committed the next gathers, so that the number of
 * flushes falls as the load rises.
 */
export async function startThread<Table>(options: ThreadOptions): Promise<LedgerThread<Table>> {
  const { path, role, cacheMebibytes, lockTimeoutMs } = options;
  const workerData: ThreadSettings = { path, role, cacheMebibytes, lockTimeoutMs };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData, name: `ledger-${role}` });
  await once(worker, 'message');

  let queue: Waiting[] = [];
  let flying: Waiting[] = [];
  let scheduled = false;
  let timer: NodeJS.Timeout | undefined;
  let state: 'open' | 'closing' | 'ended' = 'open';
  let settled: (() => void) | undefined;

  const fail = (reason: string): void => {
    if (state === 'ended') return;
    state = 'ended';
    const lost = [...flying, ...queue];
    flying = [];
    queue = [];
    for (const { reject } of lost) reject(new LedgerFault('broken', reason));
    settled?.();
    options.onBroken(reason);
  };

  const companions = (): number => Math.min(options.companions?.() ?? 0, options.batchMax);

  /** Others are on their way: a millisecond's wait for them is cheaper than a flush and a wake-up for each. */
  const gather = (): void => {
    if (flying.length > 0 || queue.length === 0 || queue.length >= companions()) send();
    else timer = setTimeout(send, gatherMs);
  };

  const send = (): void => {
    scheduled = false;
    clearTimeout(timer);
    timer = undefined;
    if (flying.length > 0 || queue.length === 0) return;
    flying = queue.length <= options.batchMax ? queue : queue.slice(0, options.batchMax);
    queue = queue.length <= options.batchMax ? [] : queue.slice(options.batchMax);
    worker.postMessage(flying.map(({ item }) => item));
  };

  worker.on('message', (reply: BatchReply) => {
    const answered = flying;
    flying = [];
    options.onBatch?.({ size: answered.length, tookMs: reply.tookMs });
    if (queue.length > 0 && !scheduled) {
      scheduled = true;
      gather();
    }
    for (const [index, { resolve, reject }] of answered.entries()) {
      const answer = reply.answers[index];
      if (answer === undefined) reject(new LedgerFault('defect', 'the ledger thread lost an answer'));
      else if (answer.ok) resolve(answer.value as never);
      else reject(new LedgerFault(answer.kind, answer.message));
    }
    if (reply.broken) fail('a write or a flush of the ledger failed');
    else if (state === 'closing' && flying.length === 0 && queue.length === 0) settled?.();
  });
  worker.on('error', (error) => fail(`the ledger thread failed: ${error.message}`));
  worker.on('exit', () => {
    if (state === 'open') fail('the ledger thread ended');
  });

  const call = (name: string, ...args: readonly unknown[]): Promise<never> => {
    if (state !== 'open') return Promise.reject(new LedgerFault('unavailable', 'the ledger is closed'));
    if (queue.length + flying.length >= options.queueMax)
      return Promise.reject(new LedgerFault('unavailable', 'the ledger has as many commands waiting as it may'));
    return new Promise<never>((resolve, reject) => {
      queue.push({ item: { name, args }, resolve, reject });
      if (flying.length > 0) return;
      if (!scheduled) {
        scheduled = true;
        // After this turn's events: requests that arrived together are committed together.
        setImmediate(gather);
      } else if (timer !== undefined && queue.length >= companions()) send();
    });
  };

  return {
    call: call as unknown as Caller<Table>,
    waiting: () => queue.length + flying.length,
    async close() {
      if (state !== 'open') return;
      state = 'closing';
      if (flying.length + queue.length > 0) await new Promise<void>((resolve) => (settled = resolve));
      state = 'ended';
      const exited = once(worker, 'exit');
      worker.postMessage('close');
      await exited;
    },
  };
}
