import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MessageId } from '@openmesh/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acceptOf, acknowledgeOf, alice, bob, bornAtMs, carol, dayMs, idOf, newMessage } from '../../ledger-probe.ts';
import { fileMessages } from '../commands/filing.ts';
import { hideRecords, removeRecords } from '../commands/jobs.ts';
import { findByLocalKey, rich } from '../commands/read-messages.ts';
import { reset } from '../commands/reset.ts';
import { accept, acknowledge } from '../commands/write-messages.ts';
import { one, type Talk } from '../question.ts';
import { readFiling } from '../questions/filing.ts';
import { migrate, openEngine, type SqliteEngine } from './engine.ts';

const many = 1500;
/** Ids of that many messages from this number down. */
const down = (from: number, count: number, step: number): MessageId[] =>
  Array.from({ length: count }, (_, at) => idOf(from - at * step));
const removeAtMs = bornAtMs + 90 * dayMs;

describe('messages that are filed some hundreds together', () => {
  let folder = '';
  let engine: SqliteEngine;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'openmesh-filing-'));
    engine = openEngine({ path: join(folder, 'l'), readOnly: false, cacheMebibytes: 8, lockTimeoutMs: 0 });
    migrate(engine);
  });
  afterEach(() => {
    engine.close();
    rmSync(folder, { recursive: true });
  });

  const talk = <R>(talked: Talk<R>): R => engine.talk(talked);
  const filing = () => talk(one(readFiling));

  /** Numbers from `first` up to `last`, odd ones to Bob and even ones to Carol, filed whenever the exchange would. */
  function send(first: number, last: number): void {
    engine.begin();
    for (let n = first; n <= last; n += 1) {
      const facts = { recipient: n % 2 === 1 ? bob : carol, localKey: `key-${n}`, createdAtMs: bornAtMs + 1 };
      talk(accept(acceptOf([newMessage(idOf(n), facts)])));
      if (n % 64 === 0) talk(fileMessages());
    }
    engine.commit();
  }

  function found(box: 'inbox' | 'outbox', limit: number, beforeMessageId: MessageId | null = null): MessageId[] {
    const mailbox = box === 'inbox' ? bob : alice;
    const query = { box, mailbox, sinceMs: 0, nowMs: bornAtMs, beforeMessageId, limit };
    return talk(rich(query)).map(({ messageId }) => messageId);
  }
  const keyed = (n: number) => talk(findByLocalKey(alice, `key-${n}`, bornAtMs)).map(({ messageId }) => messageId);

  it('are found by mailbox and by local id whether filed or not, in one order and each once', () => {
    send(1, many);
    const { filed, last } = filing() ?? { filed: 0, last: 0 };
    expect([filed > 0, (last ?? 0) - filed < 1024 + 64]).toEqual([true, true]);
    expect(found('outbox', 5000)).toEqual(down(many, many, 1));
    expect(found('inbox', 5000)).toEqual(down(many - 1, many / 2, 2));
    expect(found('outbox', 10, idOf(filed + 5))).toEqual(down(filed + 4, 10, 1));
    expect([1, filed, filed + 1, many].flatMap(keyed)).toEqual([1, filed, filed + 1, many].map(idOf));
  });

  it('are told apart when a local id was used by a filed one and again by a new one', () => {
    send(1, many);
    talk(accept(acceptOf([newMessage(idOf(many + 1), { localKey: 'key-1' })])));
    expect(new Set(keyed(1))).toEqual(new Set([idOf(1), idOf(many + 1)]));
  });

  it('are found after the newest were removed and their numbers given again', () => {
    send(1, many);
    talk(fileMessages());
    for (let n = 1; n <= many; n += 1)
      talk(acknowledge(acknowledgeOf(idOf(n), { mailbox: n % 2 === 1 ? bob : carol })));
    talk(hideRecords({ nowMs: removeAtMs, limit: 10_000 }));
    expect(talk(removeRecords({ nowMs: removeAtMs, limit: 10_000 }))).toBe(many);
    expect(filing()).toEqual({ filed: 0, last: null });
    send(many + 1, many + 3);
    expect(found('outbox', 10)).toEqual(down(many + 3, 3, 1));
    expect(keyed(many + 2)).toEqual([idOf(many + 2)]);
  });

  it('are found after a mailbox was emptied that had sent the newest', () => {
    send(1, many);
    talk(accept(acceptOf([newMessage(idOf(many + 1), { sender: bob, recipient: carol })])));
    talk(reset([bob]));
    send(many + 2, many + 4);
    expect(found('outbox', 2)).toEqual(down(many + 4, 2, 1));
    talk(reset('all'));
    send(many + 5, many + 6);
    expect(found('outbox', 10)).toEqual(down(many + 6, 2, 1));
  });
});
