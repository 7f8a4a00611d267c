import type { NonceClaim } from '../../ledger/nonces.ts';
import type { Asked, AskedOfTables, Row, SqlValue, Talk } from '../question.ts';
import type { Answer, Statement } from './connection.ts';
import { BatchCounters } from './counters.ts';
import { DeferredChanges } from './deferred.ts';
import { counterQuestions, isUnasked, sayInPostgres, toParam } from './dialect.ts';
import { allOrFirst } from './faults.ts';
import type { MovedTokens } from './moved-tokens.ts';
import { BatchNonces } from './nonces.ts';
import { type AskedTogether, idsOf, lockMessages, paramsOf, putLater, togetherNow } from './together.ts';

interface Conversation {
  readonly talk: Talk<unknown>;
  /** Changes of its own wait to be put. */
  owes: boolean;
  result: unknown;
}

interface Pending {
  readonly conversation: Conversation;
  readonly asked: Asked;
}

export interface RoundsOptions {
  readonly put: (statement: Statement) => Promise<Answer>;
  /** Whether changes may wait for the end, as most do in a batch; never where each stands for itself. */
  readonly defers: boolean;
  /** Mailboxes that the batch is likely to move. */
  readonly mailboxes: Iterable<string>;
  /**
   * Messages to be locked before anything else, when some of them are changed without having been read: as everywhere,
   * messages before counters, and in the order of their ids. Otherwise two nodes would wait for each other.
   */
  readonly lockFirst?: readonly string[];
  /** Tokens that were used before the ledger came to this engine. */
  readonly movedTokens?: MovedTokens | undefined;
  /** Ends the transaction, in the same turn as the last changes. */
  readonly conclude?: (results: readonly unknown[]) => Promise<void>;
}

/**
 * Leads conversations side by side: in each round every one of them has asked something, what is asked alike goes out as
 * one statement, and all statements of a round travel together. Whoever calls has seen to it that no two of them are
 * about the same message. Resolves to their results once every change was put, and `conclude` has resolved.
 */
export async function leadTogether(talks: readonly Talk<unknown>[], options: RoundsOptions): Promise<unknown[]> {
  const conversations = talks.map((talk): Conversation => ({ talk, owes: false, result: undefined }));
  const round = new Rounds(options);
  let pending: readonly Pending[] = conversations.flatMap((each) => round.advance(each, undefined));
  while (pending.length > 0) pending = await round.answer(pending);
  const results = conversations.map(({ result }) => result);
  await round.settle(() => options.conclude?.(results));
  return results;
}

class Rounds {
  readonly #put: RoundsOptions['put'];
  readonly #defers: boolean;
  readonly #counters: BatchCounters;
  readonly #nonces: BatchNonces;
  readonly #deferred: DeferredChanges;
  /** Answers that hold until the transaction ends. */
  readonly #steady = new Map<string, unknown>();
  readonly #lockFirst: readonly string[];
  #isFirst = true;

  constructor({ put, defers, mailboxes, lockFirst = [], movedTokens }: RoundsOptions) {
    this.#put = put;
    this.#lockFirst = lockFirst;
    this.#defers = defers;
    this.#counters = new BatchCounters(put, mailboxes, defers);
    this.#nonces = new BatchNonces(put, movedTokens);
    this.#deferred = new DeferredChanges(put);
  }

  /** Lets a conversation go on until it asks what only the engine can answer; nothing when it came to its end. */
  advance(conversation: Conversation, answer: unknown): readonly Pending[] {
    let step = conversation.talk.next(answer);
    while (step.done !== true) {
      const known = this.#answerFromMemory(conversation, step.value);
      if (known === undefined) return [{ conversation, asked: step.value }];
      step = conversation.talk.next(known.answer);
    }
    conversation.result = step.value;
    return [];
  }

  /** Puts what is asked, and lets everybody go on; resolves to what is asked next. */
  async answer(pending: readonly Pending[]): Promise<readonly Pending[]> {
    // Whoever asks about tables sees its own changes.
    if (pending.some(({ conversation, asked }) => conversation.owes && asksTables(asked))) await this.settle();
    const answers = new Map<Pending, unknown>();
    // Messages are locked before counters, by every node. The counters' turn comes with the first round: nobody waits then
    // for a round of their own.
    const locks = this.#isFirst || pending.some(({ asked }) => asksCounter(asked));
    const locksMessages = this.#isFirst && this.#lockFirst.length > 0;
    this.#isFirst = false;
    await allOrFirst<unknown>([
      this.#answerGuard(pending, answers),
      ...(locksMessages ? [this.#put({ ...lockMessages, params: idsOf(this.#lockFirst) })] : []),
      ...this.#answerTables(pending, answers),
      ...(locks ? [this.#counters.lock()] : []),
    ]);
    return pending.flatMap((each) => {
      const answer = asksCounter(each.asked) ? this.#positionOf(each.asked)?.answer : answers.get(each);
      return this.advance(each.conversation, answer);
    });
  }

  /** Puts what is deferred, and `then` right behind it: in the same turn, for every row it needs is locked before. */
  async settle(then?: () => Promise<void> | undefined): Promise<void> {
    await this.#counters.lockMoved();
    await allOrFirst([this.#deferred.settle(), this.#counters.write(), then?.()]);
  }

  #answerFromMemory(conversation: Conversation, asked: Asked): { readonly answer: unknown } | undefined {
    if ('nonce' in asked) return undefined;
    const { question, params } = asked;
    if (isUnasked(question)) return { answer: noAnswer(asked) };
    switch (question.name) {
      case counterQuestions.in:
        this.#counters.countIn(String(params[0]));
        return { answer: 1 };
      case counterQuestions.out:
        this.#counters.countOut(String(params[0]));
        return { answer: 1 };
      case counterQuestions.next:
        return this.#positionOf(asked);
      default:
        break;
    }
    if (question.trait === 'unsettles') this.#steady.clear();
    if (question.trait === 'steady' && this.#steady.has(question.name)) {
      return { answer: this.#steady.get(question.name) };
    }
    const later = this.#defers ? putLater.get(question.name) : undefined;
    if (later === undefined || !this.#deferred.add(question.name, later, params, conversation)) return undefined;
    conversation.owes = true;
    return { answer: 1 };
  }

  #positionOf({ params }: AskedOfTables): { readonly answer: unknown } | undefined {
    const position = this.#counters.next(String(params[0]));
    return position === undefined ? undefined : { answer: { position } };
  }

  async #answerGuard(pending: readonly Pending[], answers: Map<Pending, unknown>): Promise<void> {
    const asking = pending.filter(({ asked }) => 'nonce' in asked);
    if (asking.length === 0) return;
    const claims = asking.map(({ asked }) => (asked as { nonce: NonceClaim }).nonce);
    const seen = await this.#nonces.claim(claims);
    for (const [at, each] of asking.entries()) answers.set(each, seen[at]);
  }

  #answerTables(pending: readonly Pending[], answers: Map<Pending, unknown>): readonly Promise<void>[] {
    const groups = new Map<string, Pending[]>();
    for (const each of pending) {
      if (!asksTables(each.asked)) continue;
      const { name } = each.asked.question;
      const group = groups.get(name);
      if (group === undefined) groups.set(name, [each]);
      else group.push(each);
    }
    return [...groups].flatMap(([name, group]) => {
      const together = togetherNow.get(name);
      if (together !== undefined) return [this.#askTogether(name, together, group, answers)];
      const isSteady = group.every(({ asked }) => asksTables(asked) && asked.question.trait === 'steady');
      return isSteady ? [this.#askForAll(group, answers)] : group.map((each) => this.#askAlone(each, answers));
    });
  }

  /** What holds until the transaction ends is asked once. */
  async #askForAll(group: readonly Pending[], answers: Map<Pending, unknown>): Promise<void> {
    const [first] = group;
    if (first === undefined) return;
    await this.#askAlone(first, answers);
    for (const each of group) answers.set(each, answers.get(first));
  }

  async #askAlone(each: Pending, answers: Map<Pending, unknown>): Promise<void> {
    const { question, params, want } = each.asked as AskedOfTables;
    const statement = { name: question.name, sql: sayInPostgres(question), params: params.map(toParam) };
    const { rows, count } = await this.#put(statement);
    const answer = want === 'count' ? count : want === 'all' ? rows : rows[0];
    if (question.trait === 'steady') this.#steady.set(question.name, answer);
    answers.set(each, answer);
  }

  async #askTogether(
    name: string,
    together: AskedTogether,
    group: readonly Pending[],
    answers: Map<Pending, unknown>,
  ): Promise<void> {
    const asks = group.map(({ asked }) => asked as AskedOfTables);
    const statement = { name: `${name}-together`, sql: together.sql };
    const params = paramsOf(
      together,
      asks.map((ask) => ask.params),
    );
    let { rows } = await this.#put({ ...statement, params });
    if (together.payloads === true) rows = await this.#withPayloadsElsewhere(statement, asks, rows);
    const answered = new Map<number, Row[]>();
    for (const { nth, ...row } of rows) {
      const mine = answered.get(Number(nth));
      if (mine === undefined) answered.set(Number(nth), [row]);
      else mine.push(row);
    }
    for (const [at, each] of group.entries()) {
      const mine = answered.get(at + 1) ?? [];
      const { want } = asks[at] as AskedOfTables;
      answers.set(each, want === 'count' ? mine.length : want === 'all' ? mine : mine[0]);
    }
  }

  /** The same rows, but those whose payload lies under another id than the message's with their payload. */
  async #withPayloadsElsewhere(
    statement: Pick<Statement, 'name' | 'sql'>,
    asks: readonly AskedOfTables[],
    rows: readonly Row[],
  ): Promise<readonly Row[]> {
    const asked = new Set<SqlValue | undefined>(asks.map(({ params }) => params[0]));
    const elsewhere = rows.filter(({ payloadId }) => payloadId !== null && !asked.has(payloadId));
    if (elsewhere.length === 0) return rows;
    const ids = elsewhere.map(({ messageId }) => String(messageId));
    const payloads = elsewhere.map(({ payloadId }) => String(payloadId));
    const found = await this.#put({ ...statement, params: [...idsOf(ids), ...idsOf(payloads)] });
    const complete = new Map(found.rows.map((row) => [row.messageId, row]));
    return rows.map((row) => {
      const other = complete.get(row.messageId ?? null);
      return other === undefined ? row : { ...other, nth: row.nth ?? null };
    });
  }
}

function asksCounter(asked: Asked): asked is AskedOfTables {
  return 'question' in asked && asked.question.name === counterQuestions.next;
}

function asksTables(asked: Asked): asked is AskedOfTables {
  return 'question' in asked && asked.question.name !== counterQuestions.next;
}

function noAnswer({ want }: AskedOfTables): unknown {
  return want === 'count' ? 0 : want === 'all' ? [] : undefined;
}
