import { DatabaseError } from 'pg';
import type { LedgerFaultKind } from '../../ledger.ts';

/** The connection went, or was never had: nothing is known of what was in flight on it. */
export class ConnectionLost extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ConnectionLost';
  }
}

/** Not done, because of what became of another statement that travelled with it: its cause. */
export class Skipped extends Error {
  constructor(cause: unknown) {
    super('another statement of the same group failed', { cause });
    this.name = 'Skipped';
  }
}

/** What PostgreSQL's error means for the work it met. */
export type Trouble =
  /** Another transaction stood in the way: the same work may be done again at once. */
  | 'collided'
  /** Something in the batch cannot be done, or not beside the rest of it. */
  | 'refused'
  /** The engine is away, starting, stopping, or has become a standby. */
  | 'away'
  | 'full';

const serialisationFailure = '40001';
const deadlock = '40P01';
const uniqueViolation = '23505';
const checkViolation = '23514';
const lockNotAvailable = '55P03';
const readOnlyTransaction = '25006';
const failedTransaction = '25P02';
const undefinedTable = '42P01';
const queryCanceled = '57014';
const diskFull = '53100';
/** Connection exceptions, too few resources, an operator's hand: each by its class, the first two characters. */
const awayClasses: ReadonlySet<string> = new Set(['08', '53', '57', '58']);

export function troubleOf(error: unknown): Trouble {
  if (error instanceof Skipped) return troubleOf(error.cause);
  if (error instanceof ConnectionLost) return 'away';
  if (!(error instanceof DatabaseError)) return 'refused';
  const code = error.code ?? '';
  if (code === diskFull) return 'full';
  // A day was added while the row was on its way to where it would have gone before: no constraint of ours has no name.
  if (code === checkViolation && error.constraint === undefined) return 'collided';
  if (code === serialisationFailure || code === deadlock || code === uniqueViolation) return 'collided';
  if (code === lockNotAvailable || code === readOnlyTransaction || code === queryCanceled) return 'away';
  if (error.severity === 'FATAL' || error.severity === 'PANIC') return 'away';
  return awayClasses.has(code.slice(0, 2)) ? 'away' : 'refused';
}

/** Whether others hold what was to be locked, and it was not waited for any longer. */
export function stoodInTheWay(error: unknown): boolean {
  return error instanceof DatabaseError && (error.code === lockNotAvailable || error.code === deadlock);
}

/** Whether a table that was asked is not there, or not any more. */
export function isNotThere(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === undefinedTable;
}

/** Refused only because something before it in the same transaction failed. */
export function isConsequence(error: unknown): boolean {
  return error instanceof Skipped || (error instanceof DatabaseError && error.code === failedTransaction);
}

/** Waits for all, so that nothing is in flight when an error is thrown: the one that the others follow from. */
export async function allOrFirst<T>(work: readonly (Promise<T> | T)[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(work);
  const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  if (errors.length > 0) throw errors.find((error) => !isConsequence(error)) ?? errors[0];
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
}

/** A connection whose engine said this is of no more use. */
export function endsConnection(error: unknown): boolean {
  if (error instanceof Skipped) return endsConnection(error.cause);
  if (!(error instanceof DatabaseError)) return true;
  if (error.severity === 'FATAL' || error.severity === 'PANIC') return true;
  return error.code === readOnlyTransaction || (error.code ?? '').startsWith('08');
}

/** Takes out of an error what PostgreSQL quotes of rows and parameters: no text of a message may reach a log. */
export function withoutValues(error: unknown): unknown {
  if (!(error instanceof DatabaseError)) return error;
  error.detail = undefined;
  error.where = undefined;
  error.internalQuery = undefined;
  return error;
}

/** What is left of a trouble for whoever asked, once trying again has had its turn. */
export function faultKindOf(trouble: Trouble): LedgerFaultKind {
  switch (trouble) {
    case 'full':
      return 'full';
    case 'away':
    case 'collided':
      return 'unavailable';
    case 'refused':
      return 'defect';
  }
}

/** The error in words that name no value: what PostgreSQL adds as detail may quote a row. */
export function wordsOf(error: unknown): string {
  if (error instanceof DatabaseError) return `${error.code ?? 'no code'}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
