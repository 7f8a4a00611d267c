import { randomUUID } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import { setTimeout as wait } from 'node:timers/promises';
import { LedgerFault } from '../../ledger.ts';
import type { Talk } from '../question.ts';
import type { About } from './command-keys.ts';
import type { PostgresConnection, Statement } from './connection.ts';
import { allOrFirst, faultKindOf, troubleOf, wordsOf } from './faults.ts';
import { Gathering, toldAlready } from './gathering.ts';
import type { Line } from './line.ts';
import type { MovedTokens } from './moved-tokens.ts';
import { leadTogether } from './rounds.ts';

export interface Job {
  readonly start: () => Talk<unknown>;
  /** undefined: it runs by itself, and one at a time on all nodes. */
  readonly about: About | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (fault: LedgerFault) => void;
}

export interface LaneOptions {
  readonly line: Line;
  /** Commands in one transaction. */
  readonly batchMax: number;
  /** How long a commit whose answer was lost is inquired after before its callers are told that it is not known. */
  readonly inquireMs: number;
  readonly onBatch?: (batch: { readonly size: number; readonly tookMs: number }) => void;
  /** Tokens that were used before the ledger came to this engine; none when absent. */
  readonly movedTokens?: MovedTokens;
}

/** What collides with other transactions is tried so often, a whole batch and a single command. */
const batchAttemptsMax = 2;
const attemptsMax = 10;
const pauseMs = 5;
const inquireEveryMs = 100;
const beforeCommit = channel('openmesh:before-commit');
const afterCommit = channel('openmesh:after-commit');

/** Held by whatever runs by itself: one at a time on all nodes of the ledger. */
const alone: Statement = { name: 'take-turn', sql: 'select pg_advisory_xact_lock(7161003)' };
const begin: Statement = { name: 'begin', sql: 'begin' };
const commit: Statement = { name: 'commit', sql: 'commit' };
const rollback: Statement = { name: 'rollback', sql: 'rollback' };
const leaveReceipt = (receipt: string): Statement => ({
  name: 'leave-receipt',
  sql: 'insert into commit_receipt (receipt) values ($1) on conflict (receipt) do nothing',
  params: [receipt],
});

/** What became of a batch: its results, or the trouble that undid it. */
type Outcome =
  | { readonly kind: 'done'; readonly results: readonly unknown[] }
  | { readonly kind: 'undone'; readonly error: unknown }
  /** Whether it was committed could not be found out in time. */
  | { readonly kind: 'unknown' };

/** One connection and the commands that are run on it, in batches: while one is on its way the next gathers. */
export class Lane {
  readonly #options: LaneOptions;
  readonly #jobs: Gathering<Job>;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#jobs = new Gathering({
      take: (queue) => takeTogether(queue, options.batchMax),
      answer: async (batch) => {
        const startedMs = performance.now();
        const tell = await this.#answer(batch);
        options.onBatch?.({ size: batch.length, tookMs: performance.now() - startedMs });
        return tell;
      },
    });
  }

  get jobs(): Pick<Gathering<Job>, 'add' | 'settled' | 'waiting'> {
    return this.#jobs;
  }

  /** Never rejects: resolves to what tells whoever asked what became of it. */
  async #answer(batch: readonly Job[]): Promise<() => void> {
    let outcome = await this.#attempt(batch, batch.length > 1);
    const attempts = batch.length > 1 ? batchAttemptsMax : attemptsMax;
    for (let attempt = 1; attempt < attempts && isRepeatable(outcome); attempt += 1) {
      await wait(pauseMs * attempt * Math.random());
      outcome = await this.#attempt(batch, batch.length > 1);
    }
    // A command that fails must not take its neighbours with it: each is done by itself.
    if (outcome.kind === 'undone' && batch.length > 1 && troubleOf(outcome.error) !== 'away') {
      for (const job of batch) (await this.#answer([job]))();
      return toldAlready;
    }
    return () => tellAll(batch, outcome);
  }

  async #attempt(batch: readonly Job[], defers: boolean): Promise<Outcome> {
    let connection: PostgresConnection;
    try {
      connection = await this.#options.line.connected();
    } catch (error) {
      return { kind: 'undone', error };
    }
    const receipt = randomUUID();
    let isEnding = false;
    let results: readonly unknown[] = [];
    const conclude = async (led: readonly unknown[]): Promise<void> => {
      results = led;
      isEnding = true;
      beforeCommit.publish(batch.length);
      const { command } = await connection.put(commit);
      if (command !== 'COMMIT') throw new Error('PostgreSQL rolled back what was to be committed');
      afterCommit.publish(batch.length);
    };
    try {
      await lead(connection, batch, { receipt, defers, movedTokens: this.#options.movedTokens, conclude });
      return { kind: 'done', results };
    } catch (error) {
      if (connection.isLost && isEnding) return this.#inquire(receipt, results, error);
      if (!connection.isLost) await connection.put(rollback).catch(() => undefined);
      return { kind: 'undone', error };
    }
  }

  /**
   * The connection went while the transaction was being committed. It left its receipt in the same transaction: where
   * the receipt is, all of it is; where the same receipt can be written, none of it is and none can come any more, for
   * the key of one that is still being committed makes this wait.
   */
  async #inquire(receipt: string, results: readonly unknown[], error: unknown): Promise<Outcome> {
    const giveUpAt = performance.now() + this.#options.inquireMs;
    while (performance.now() < giveUpAt) {
      try {
        const isNew = await isNewReceipt(await this.#options.line.connected(), receipt);
        return isNew ? { kind: 'undone', error } : { kind: 'done', results };
      } catch {
        await wait(inquireEveryMs);
      }
    }
    return { kind: 'unknown' };
  }
}

/** Whether the receipt could be left; it is not. What fails, as waiting too long does, leaves the connection as it was. */
async function isNewReceipt(connection: PostgresConnection, receipt: string): Promise<boolean> {
  await connection.put(begin);
  try {
    const { count } = await connection.put(leaveReceipt(receipt));
    return count === 1;
  } finally {
    if (!connection.isLost) await connection.put(rollback);
  }
}

function tellAll(batch: readonly Job[], outcome: Outcome): void {
  switch (outcome.kind) {
    case 'done':
      for (const [at, job] of batch.entries()) job.resolve(outcome.results[at]);
      return;
    case 'undone': {
      const { error } = outcome;
      const fault = new LedgerFault(faultKindOf(troubleOf(error)), wordsOf(error), error);
      for (const job of batch) job.reject(fault);
      return;
    }
    case 'unknown': {
      const fault = new LedgerFault('broken', 'the ledger went away while it committed, and did not come back in time');
      for (const job of batch) job.reject(fault);
    }
  }
}

/** The longest waiting that may be led side by side; the others wait for the next batch. */
function takeTogether(queue: Job[], batchMax: number): readonly Job[] {
  if (queue[0]?.about === undefined) return queue.splice(0, 1);
  const taken: Job[] = [];
  const left: Job[] = [];
  const keys = new Set<string>();
  for (const job of queue) {
    const { about } = job;
    const collides = about === undefined || about.keys.some((key) => keys.has(key));
    if (collides || taken.length >= batchMax) left.push(job);
    else taken.push(job);
    // Also those of a command that waits: what comes after it does not overtake it.
    for (const key of about?.keys ?? []) keys.add(key);
  }
  queue.splice(0, queue.length, ...left);
  return taken;
}

interface Leading {
  readonly receipt: string;
  readonly defers: boolean;
  readonly movedTokens: MovedTokens | undefined;
  readonly conclude: (results: readonly unknown[]) => Promise<void>;
}

/** Leads a batch from the beginning of its transaction to its end. */
async function lead(connection: PostgresConnection, batch: readonly Job[], leading: Leading): Promise<void> {
  const { receipt, defers, movedTokens, conclude } = leading;
  const put = (statement: Statement) => connection.put(statement);
  const isAlone = batch.some(({ about }) => about === undefined);
  const talks = batch.map(({ start }) => start());
  const mailboxes = defers ? batch.flatMap(({ about }) => about?.moves ?? []) : [];
  const lockFirst = batch.some(({ about }) => about?.unread === true) ? messagesOf(batch) : [];
  const opening = [begin, leaveReceipt(receipt), ...(isAlone ? [alone] : [])].map(put);
  const options = { put, defers, mailboxes, lockFirst, movedTokens, conclude };
  await allOrFirst<unknown>([...opening, leadTogether(talks, options)]);
}

/** The messages that the commands of a batch name. */
function messagesOf(batch: readonly Job[]): readonly string[] {
  return batch.flatMap(({ about }) => about?.keys.filter((key) => !key.includes(' ')) ?? []);
}

/** Only what other transactions stood in the way of: the same will be in its own way again. */
function isRepeatable(outcome: Outcome): boolean {
  return outcome.kind === 'undone' && troubleOf(outcome.error) === 'collided';
}
