import { columnOf } from './arrays.ts';
import type { Answer, Statement } from './connection.ts';

interface Counter {
  /** Of the next entry; known once the row is locked. */
  next: number | undefined;
  entered: number;
  /** Positions that were given and not yet counted in. */
  given: number;
  left: number;
}

export const lockCounters: Pick<Statement, 'name' | 'sql'> = {
  name: 'lock-counters',
  sql: `select mailbox_id as mailbox, next_position as next from inbox_counter where mailbox_id = any($1::text[])
    order by mailbox_id for update`,
};
const make: Pick<Statement, 'name' | 'sql'> = {
  name: 'make-counters',
  sql: `insert into inbox_counter (mailbox_id, waiting, next_position)
    select mailbox, 0, 1 from unnest($1::text[]) mailbox order by mailbox on conflict (mailbox_id) do nothing`,
};
export const moveCounters: Pick<Statement, 'name' | 'sql'> = {
  name: 'move-counters',
  sql: `update inbox_counter c set waiting = c.waiting + q.change, next_position = c.next_position + q.entered
    from unnest($1::text[], $2::bigint[], $3::bigint[]) q(mailbox, change, entered) where c.mailbox_id = q.mailbox`,
};

/**
 * The counters of the mailboxes that a batch moves. Their rows are locked together, in the order of their ids, before
 * the first position is given, and written once at the end: concurrent batches on one mailbox queue at its row, so that
 * a position is visible only after all lower ones.
 */
export class BatchCounters {
  readonly #put: (statement: Statement) => Promise<Answer>;
  readonly #counters = new Map<string, Counter>();
  readonly #many: boolean;

  /**
   * `expected`: mailboxes that the batch is likely to move. `many`: conversations run side by side, and a position that
   * was given is never given again.
   */
  constructor(put: (statement: Statement) => Promise<Answer>, expected: Iterable<string>, many: boolean) {
    this.#put = put;
    this.#many = many;
    for (const mailbox of expected) this.#of(mailbox);
  }

  /** The position of the mailbox's next entry; undefined until its row is locked. */
  next(mailbox: string): number | undefined {
    const counter = this.#of(mailbox);
    if (counter.next === undefined) return undefined;
    const position = counter.next + counter.entered + counter.given;
    if (this.#many) counter.given += 1;
    return position;
  }

  countIn(mailbox: string): void {
    const counter = this.#of(mailbox);
    counter.entered += 1;
    if (counter.given > 0) counter.given -= 1;
  }

  countOut(mailbox: string): void {
    this.#of(mailbox).left += 1;
  }

  /** Locks every row that was named and is not locked yet, making those that are not there. */
  async lock(): Promise<void> {
    const wanted = [...this.#counters].filter(([, { next }]) => next === undefined).map(([mailbox]) => mailbox);
    if (wanted.length === 0) return;
    await this.#lockRows(wanted);
    const missing = wanted.filter((mailbox) => this.#of(mailbox).next === undefined);
    if (missing.length === 0) return;
    await this.#put({ ...make, params: [columnOf('text', missing)] });
    await this.#lockRows(missing);
  }

  /** Locks the rows that `write` will write. */
  async lockMoved(): Promise<void> {
    if (this.#moved().some(([, { next }]) => next === undefined)) await this.lock();
  }

  /** Writes what was counted, at once; `lockMoved` comes first. */
  async write(): Promise<void> {
    const moved = this.#moved();
    if (moved.length === 0) return;
    const changes = moved.map(([, { entered, left }]) => entered - left);
    const entered = moved.map(([, counter]) => counter.entered);
    const columns = [
      columnOf(
        'text',
        moved.map(([mailbox]) => mailbox),
      ),
      columnOf('bigint', changes),
      columnOf('bigint', entered),
    ];
    await this.#put({ ...moveCounters, params: columns });
    for (const [, counter] of moved) {
      if (counter.next !== undefined) counter.next += counter.entered;
      counter.entered = 0;
      counter.left = 0;
    }
  }

  #moved(): readonly (readonly [string, Counter])[] {
    return [...this.#counters].filter(([, { entered, left }]) => entered > 0 || left > 0);
  }

  async #lockRows(mailboxes: readonly string[]): Promise<void> {
    const { rows } = await this.#put({ ...lockCounters, params: [columnOf('text', mailboxes)] });
    for (const { mailbox, next } of rows) this.#of(String(mailbox)).next = Number(next);
  }

  #of(mailbox: string): Counter {
    let counter = this.#counters.get(mailbox);
    if (counter === undefined) {
      counter = { next: undefined, entered: 0, given: 0, left: 0 };
      this.#counters.set(mailbox, counter);
    }
    return counter;
  }
}
