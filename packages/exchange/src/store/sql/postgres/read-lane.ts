import { LedgerFault } from '../../ledger.ts';
import type { Talk } from '../question.ts';
import type { PostgresConnection, Statement } from './connection.ts';
import { faultKindOf, troubleOf, wordsOf } from './faults.ts';
import { Gathering, toldAlready } from './gathering.ts';
import type { Line } from './line.ts';
import { leadTogether } from './rounds.ts';

export interface ReadJob {
  readonly start: () => Talk<unknown>;
  /** Many questions that must see one and the same state. */
  readonly atOnce: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (fault: LedgerFault) => void;
}

const together = 64;
const snapshot: Statement = { sql: 'begin isolation level repeatable read read only' };
const end: Statement = { sql: 'commit' };

/** One connection to the primary for commands that only read: they see every commit that was answered before. */
export class ReadLane {
  readonly #line: Line;
  readonly #jobs: Gathering<ReadJob>;

  constructor(line: Line) {
    this.#line = line;
    this.#jobs = new Gathering({ take: takeTogether, answer: (batch) => this.#answer(batch) });
  }

  get jobs(): Pick<Gathering<ReadJob>, 'add' | 'settled' | 'waiting'> {
    return this.#jobs;
  }

  async #answer(batch: readonly ReadJob[]): Promise<() => void> {
    try {
      const connection = await this.#line.connected();
      const results = await read(connection, batch);
      return () => {
        for (const [at, job] of batch.entries()) job.resolve(results[at]);
      };
    } catch (error) {
      const trouble = troubleOf(error);
      if (batch.length > 1 && trouble !== 'away') {
        for (const job of batch) (await this.#answer([job]))();
        return toldAlready;
      }
      const fault = new LedgerFault(faultKindOf(trouble), wordsOf(error), error);
      return () => {
        for (const job of batch) job.reject(fault);
      };
    }
  }
}

function takeTogether(queue: ReadJob[]): readonly ReadJob[] {
  if (queue[0]?.atOnce === true) return queue.splice(0, 1);
  const border = queue.findIndex(({ atOnce }) => atOnce);
  return queue.splice(0, border < 0 ? together : Math.min(border, together));
}

async function read(connection: PostgresConnection, batch: readonly ReadJob[]): Promise<readonly unknown[]> {
  const put = (statement: Statement) => connection.put(statement);
  const lead = () =>
    leadTogether(
      batch.map(({ start }) => start()),
      { put, defers: false, mailboxes: [] },
    );
  if (batch[0]?.atOnce !== true) return lead();
  await put(snapshot);
  try {
    return await lead();
  } finally {
    if (!connection.isLost) await put(end);
  }
}
