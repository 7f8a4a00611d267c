import type { JobLedger } from '../../ledger/jobs.ts';
import { ClockApart } from '../../ledger.ts';
import type { PostgresConnection } from './connection.ts';

/** Jobs delete and give up by the clock of the node that has them: so far it may be from the database's, and no farther. */
const apartMsMax = 5 * 60_000;

/**
 * The clock of this machine beside that of the database, which all nodes have in common: one node whose clock is weeks
 * ahead would withdraw every message and delete every body for all of them.
 */
export class ComparedClock {
  readonly #nowMs: () => number;
  /** How far the database's is ahead, as far as it is more than the time an answer took. */
  #apartMs = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  async compare(connection: PostgresConnection): Promise<void> {
    const askedMs = this.#nowMs();
    const { rows } = await connection.put({
      sql: 'select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as "nowMs"',
    });
    const answeredMs = this.#nowMs();
    const theirsMs = Number(rows[0]?.nowMs);
    this.#apartMs = Math.min(theirsMs - askedMs, Math.max(theirsMs - answeredMs, 0));
  }

  /** Lends no job while the clocks are too far apart: another node takes it. */
  guard(jobs: JobLedger): JobLedger {
    const isFine = (): boolean => Math.abs(this.#apartMs) <= apartMsMax;
    const lease: JobLedger['lease'] = (command) =>
      isFine() ? jobs.lease(command) : Promise.reject(new ClockApart(this.#apartMs));
    return { ...jobs, lease };
  }
}
