import type { NonceClaim } from '../ledger/nonces.ts';

/** What a parameter or a column can be in both dialects. Booleans are 0 and 1. */
export type SqlValue = string | number | null | Uint8Array;

/** A row by column name, as the aliases of the question spell it. */
export type Row = Readonly<Record<string, SqlValue>>;

/**
 * One statement with a name that logs, metrics and query-plan tests use. Parameters are written $1, $2, … in both
 * dialects. `R` is the row it answers with; `never` for statements that only change.
 */
export interface Question<R extends object = never> {
  readonly name: string;
  readonly sql: string;
  readonly row?: R;
  /** `steady`: without parameters, and the answer stays the same within a transaction, unless something that `unsettles` is asked in it. */
  readonly trait?: 'steady' | 'unsettles';
}

/** Reads rows. */
export function asks<R extends object>(name: string, sql: string, trait?: Question['trait']): Question<R> {
  return { name, sql, ...(trait !== undefined && { trait }) };
}

/** Changes rows and answers with their number only. */
export function tells(name: string, sql: string): Question {
  return { name, sql };
}

export interface AskedOfTables {
  readonly question: Question<object>;
  readonly params: readonly SqlValue[];
  readonly want: 'one' | 'all' | 'count';
}

/** A nonce to be claimed; the engine knows how. Answered with the time of an earlier claim, or undefined. */
export interface AskedOfGuard {
  readonly nonce: NonceClaim;
}

export type Asked = AskedOfTables | AskedOfGuard;

/**
 * A command of the ledger as a conversation: it yields what it asks and is resumed with the answer. The same
 * conversation runs synchronously inside SQLite's transaction, and asynchronously where the engine is a network away.
 */
export type Talk<R> = Generator<Asked, R, unknown>;

export function* one<R extends object>(question: Question<R>, ...params: readonly SqlValue[]): Talk<R | undefined> {
  return (yield { question, params, want: 'one' }) as R | undefined;
}

export function* all<R extends object>(question: Question<R>, ...params: readonly SqlValue[]): Talk<readonly R[]> {
  return (yield { question, params, want: 'all' }) as readonly R[];
}

/** Runs a change; resolves to the number of rows changed. */
export function* run(question: Question, ...params: readonly SqlValue[]): Talk<number> {
  return (yield { question, params, want: 'count' }) as number;
}

/** Claims a nonce; resolves to the machine-clock milliseconds of an earlier claim, or undefined. */
export function* claims(nonce: NonceClaim): Talk<number | undefined> {
  return (yield { nonce }) as number | undefined;
}
