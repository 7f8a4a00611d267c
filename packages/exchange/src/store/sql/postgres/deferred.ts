import type { SqlValue } from '../question.ts';
import { columnOf } from './arrays.ts';
import type { Answer, Statement } from './connection.ts';
import { Misjudged } from './faults.ts';
import { type PutLater, putLater } from './together.ts';

interface Owing {
  owes: boolean;
}

interface Gathered {
  readonly later: PutLater;
  readonly params: (readonly SqlValue[])[];
  readonly keys: Set<string>;
}

/** Changes that wait for the end of their batch, as one statement for each question. */
export class DeferredChanges {
  readonly #put: (statement: Statement) => Promise<Answer>;
  readonly #gathered = new Map<string, Gathered>();
  readonly #owing = new Set<Owing>();

  constructor(put: (statement: Statement) => Promise<Answer>) {
    this.#put = put;
  }

  /** False when the same row waits for a change already: it is to be settled first. */
  add(question: string, later: PutLater, params: readonly SqlValue[], whose: Owing): boolean {
    let gathered = this.#gathered.get(question);
    if (gathered === undefined) {
      gathered = { later, params: [], keys: new Set() };
      this.#gathered.set(question, gathered);
    }
    const key = later.key.map((at) => String(params[at])).join(' ');
    if (gathered.keys.has(key)) return false;
    gathered.keys.add(key);
    gathered.params.push(params);
    this.#owing.add(whose);
    return true;
  }

  /** Puts all of it. Throws `Misjudged` when a change that was promised did not happen. */
  async settle(): Promise<void> {
    for (const whose of this.#owing) whose.owes = false;
    this.#owing.clear();
    const statements = [...putLater.keys()].flatMap((question) => {
      const gathered = this.#gathered.get(question);
      return gathered === undefined || gathered.params.length === 0 ? [] : [{ question, ...gathered }];
    });
    this.#gathered.clear();
    const changed = await Promise.allSettled(
      statements.map(({ question, later, params }) =>
        this.#put({
          name: `${question}-later`,
          sql: later.sql,
          params: later.kinds.map((kind, at) =>
            columnOf(
              kind,
              params.map((row) => row[at] ?? null),
            ),
          ),
        }),
      ),
    );
    for (const [at, outcome] of changed.entries()) {
      if (outcome.status === 'rejected') throw outcome.reason;
      const { question, later, params } = statements[at] as (typeof statements)[number];
      if (later.each !== undefined && outcome.value.count !== params.length) {
        throw new Misjudged(question, params.length, outcome.value.count);
      }
    }
  }
}
