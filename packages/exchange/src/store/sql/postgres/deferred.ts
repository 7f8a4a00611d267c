import type { SqlValue } from '../question.ts';
import type { Answer, Statement } from './connection.ts';
import { allOrFirst } from './faults.ts';
import { type PutLater, paramsOf, putLater } from './together.ts';

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

  /** Puts all of it. Rejects when a change that was promised did not happen. */
  async settle(): Promise<void> {
    for (const whose of this.#owing) whose.owes = false;
    this.#owing.clear();
    const statements = [...putLater.keys()].flatMap((question) => {
      const gathered = this.#gathered.get(question);
      return gathered === undefined || gathered.params.length === 0 ? [] : [{ question, ...gathered }];
    });
    this.#gathered.clear();
    await allOrFirst(
      statements.map(({ question, later, params }) => {
        const expected = later.sure ? [params.length] : [];
        return this.#put({
          name: `${question}-later`,
          sql: later.sql,
          params: [...paramsOf(later, params), ...expected],
        });
      }),
    );
  }
}
