import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Ledger } from '../../ledger.ts';
import { acknowledgeOf, alice, bob, bornAtMs, changeOf, dayMs, idOf, listed, ref } from '../../ledger-probe.ts';
import { openSqliteLedger } from './ledger.ts';

const first = new URL('../migrations/sqlite/0001-records.sql', import.meta.url);
const dueAtMs = bornAtMs + 5 * dayMs;
const goneAtMs = bornAtMs + 30 * dayMs;

/** Rows as the first schema held them: a message that waits, one acknowledged, one withdrawn, one uploading, a report. */
const rows = `
  insert into inbox_counter values ('BOB', 1, 4), ('ALICE', 1, 2);
  insert into payload (payload_id, total_chunks, stored_chunks, size_bytes, content_encoding, keep_until_ms) values
    ('${idOf(1)}', 1, 1, 3, 'gzip', ${goneAtMs}), ('${idOf(2)}', 1, 1, 900, '', ${goneAtMs}),
    ('${idOf(3)}', 1, 1, 3, '', ${goneAtMs}), ('${idOf(4)}', 2, 1, 100, '', ${goneAtMs});
  insert into chunk values
    ('${idOf(1)}', 1, 3, 'sha-1', 'blocks-1', null, x'010203', ${bornAtMs}),
    ('${idOf(2)}', 1, 900, 'sha-2', 'blocks-2', 'body-2', null, ${bornAtMs}),
    ('${idOf(4)}', 1, 100, 'sha-4', 'blocks-4', 'body-4', null, ${bornAtMs});
  update payload set deleted_at_ms = ${bornAtMs + 7} where payload_id = '${idOf(3)}';
  insert into message (message_id, message_type, sender, recipient, workflow_id, payload_id, state, status_code,
    status_event, status_description, compressed, encrypted, sealed, local_key, linked_message_id, created_at_ms,
    accepted_at_ms, state_at_ms, hide_at_ms, remove_at_ms) values
    ${message(1, "'DATA', 'ALICE', 'BOB'", `'${idOf(1)}', 'accepted'`)},
    ${message(2, "'DATA', 'ALICE', 'BOB'", `'${idOf(2)}', 'acknowledged'`)},
    ${message(3, "'DATA', 'ALICE', 'BOB'", `'${idOf(3)}', 'undeliverable'`)},
    ${message(4, "'DATA', 'ALICE', 'BOB'", `'${idOf(4)}', 'uploading'`)},
    ${message(5, "'REPORT', null, 'ALICE'", "null, 'accepted'")};
  insert into delivery values
    ('BOB', '${idOf(1)}', 'WF', 3, 'waiting', ${dueAtMs}, null, ${bornAtMs + 1}, null, null, 0),
    ('BOB', '${idOf(2)}', 'WF', 1, 'acknowledged', ${dueAtMs}, 30, 10, 20, 25, 2),
    ('BOB', '${idOf(3)}', 'WF', 2, 'withdrawn', ${dueAtMs}, null, null, null, null, 0),
    ('ALICE', '${idOf(5)}', 'WF', 1, 'waiting', ${dueAtMs}, null, null, null, null, 0);
  insert into event values
    ('${idOf(2)}', 1, 5, 'ALICE', 'accepted', 'said "yes", then
more'), ('${idOf(2)}', 2, 30, 'BOB', 'acknowledged', ''), ('${idOf(1)}', 1, 5, 'ALICE', 'accepted', '');
  pragma user_version = 1;`;

function onBroken(reason: string): never {
  throw new Error(reason);
}

function message(n: number, who: string, what: string): string {
  const facts = `'00', 'TRANSFER', 'sent', 1, 0, 'sealed-${n}', 'key-${n}', null, ${bornAtMs + n}, ${bornAtMs}, ${bornAtMs}`;
  return `('${idOf(n)}', ${who}, 'WF', ${what}, ${facts}, ${goneAtMs}, ${goneAtMs + dayMs})`;
}

describe('a ledger of the first schema, once it is opened', () => {
  let folder = '';
  let ledger: Ledger;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'openmesh-0002-'));
    const path = join(folder, 'ledger.sqlite');
    const db = new DatabaseSync(path);
    db.exec(readFileSync(first, 'utf8'));
    db.exec(rows);
    db.close();
    ledger = await openSqliteLedger({ path, profile: 'live', cacheMebibytes: 4, queueMax: 100, onBroken });
  });
  afterEach(async () => {
    await ledger.close();
    rmSync(folder, { recursive: true });
  });

  it('has every message with its dates, its recipient’s leg and its timeline', async () => {
    const { messages } = ledger;
    expect(await messages.find(idOf(2))).toEqual({
      messageId: idOf(2),
      messageType: 'DATA',
      sender: alice,
      recipient: bob,
      workflowId: 'WF',
      state: 'acknowledged',
      statusCode: '00',
      statusEvent: 'TRANSFER',
      statusDescription: 'sent',
      compressed: true,
      encrypted: false,
      sealed: 'sealed-2',
      linkedMessageId: null,
      createdAtMs: bornAtMs + 2,
      acceptedAtMs: bornAtMs,
      expiresAtMs: dueAtMs,
      stateAtMs: bornAtMs,
      acknowledgedAtMs: 30,
      hideAtMs: goneAtMs,
      payloadId: idOf(2),
      totalChunks: 1,
      sizeBytes: 900,
      contentEncoding: '',
      payloadDeleted: false,
      firstListedAtMs: 10,
      firstDownloadAtMs: 20,
      lastDownloadAtMs: 25,
      downloads: 2,
    });
    expect(await messages.find(idOf(3))).toMatchObject({ state: 'undeliverable', payloadDeleted: true, downloads: 0 });
    expect(await messages.find(idOf(4))).toMatchObject({ state: 'uploading', expiresAtMs: null, totalChunks: 2 });
    expect(await messages.timeline(idOf(2))).toEqual([
      { eventNo: 1, atMs: 5, actor: 'ALICE', kind: 'accepted', detail: 'said "yes", then\nmore' },
      { eventNo: 2, atMs: 30, actor: 'BOB', kind: 'acknowledged', detail: '' },
    ]);
    expect((await messages.findByLocalKey(alice, 'key-1', bornAtMs)).map(({ messageId }) => messageId)).toEqual([
      idOf(1),
    ]);
  });

  it('has every inbox as it was, and goes on in it', async () => {
    const { messages, jobs } = ledger;
    expect([await listed(messages, bob), await listed(messages, alice)]).toEqual([[idOf(1)], [idOf(5)]]);
    expect([await messages.positionOf(bob, idOf(1)), await messages.positionOf(bob, idOf(2))]).toEqual([3, 1]);
    expect(await jobs.deliveriesDue({ nowMs: dueAtMs - 1, limit: 10 })).toEqual([]);
    expect(await jobs.deliveriesDue({ nowMs: dueAtMs, limit: 10 })).toHaveLength(2);
    expect(await messages.acknowledge(acknowledgeOf(idOf(1)))).toEqual({ kind: 'acknowledged' });
    expect(await messages.acknowledge(acknowledgeOf(idOf(2)))).toEqual({ kind: 'unchanged' });
    await messages.changeState(changeOf(idOf(2), { to: 'accepted', expiresAtMs: dueAtMs + 1 }));
    expect(await messages.positionOf(bob, idOf(2))).toBe(4);
    expect((await messages.timeline(idOf(2))).map(({ kind }) => kind)).toEqual(['accepted', 'acknowledged', 'expired']);
    expect(await messages.waitingCount(bob)).toBe(1);
  });

  it('has every body where it was', async () => {
    const { messages, jobs } = ledger;
    const inline = await messages.findWithChunk(idOf(1), 1);
    expect(inline).toMatchObject({ chunk: { sha256: 'sha-1', blockDigests: 'blocks-1', ref: null, sizeBytes: 3 } });
    expect(Array.from(inline?.chunk?.inline ?? [])).toEqual([1, 2, 3]);
    expect((await messages.findWithChunk(idOf(2), 1))?.chunk).toMatchObject({ ref: 'body-2', inline: null });
    expect((await messages.findWithChunk(idOf(3), 1))?.chunk).toBeNull();
    expect((await messages.findWithChunk(idOf(4), 1))?.chunk).toMatchObject({ ref: 'body-4', sizeBytes: 100 });
    const refs = ['body-2', 'body-4', 'body-9'].map(ref);
    expect([...(await jobs.referencedBodies(refs))]).toEqual(['body-2', 'body-4']);
    const due = await jobs.payloadsDue({ nowMs: goneAtMs, limit: 10 });
    expect(due.flatMap(({ refs: named }) => named)).toEqual(['body-2', 'body-4']);
  });
});
