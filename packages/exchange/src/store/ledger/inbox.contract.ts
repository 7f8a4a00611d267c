import { type MessageId, parseWorkflowFilter } from '@openmesh/protocol';
import { expect, it } from 'vitest';
import type { LedgerSource } from '../ledger.contract.ts';
import {
  acceptOf,
  acknowledgeOf,
  alice,
  beginUpload,
  bob,
  bornAtMs,
  carol,
  changeOf,
  dayMs,
  deliver,
  durableChunk,
  idOf,
  newMessage,
  newPayload,
  nonceOf,
  pageOf,
} from '../ledger-probe.ts';
import type { ChunkQuery, MessageLedger, PageQuery } from './messages.ts';

/** Every page from the first to the last, as the numbers of its messages. */
async function walk(ledger: MessageLedger, query: Partial<PageQuery>): Promise<number[][]> {
  const pages: number[][] = [];
  for (let afterPosition = 0; pages.length < 100; ) {
    const page = await ledger.inboxPage(pageOf({ ...query, afterPosition }));
    pages.push(page.entries.map(({ position }) => position));
    if (page.nextAfter === null) return pages;
    expect(page.nextAfter).toBeGreaterThan(afterPosition);
    afterPosition = page.nextAfter;
  }
  throw new Error('the pages do not end');
}

const only = parseWorkflowFilter('RARE');
const collector = nonceOf('n:1', { mailbox: bob });

export function promiseInbox(at: LedgerSource): void {
  it('pages through an inbox in order, and says there is more only when there is', async () => {
    const { messages } = at.ledger;
    for (let n = 1; n <= 7; n += 1) await deliver(messages, n);
    await messages.acknowledge(acknowledgeOf(idOf(3)));
    expect(await walk(messages, { limit: 2 })).toEqual([
      [1, 2],
      [4, 5],
      [6, 7],
    ]);
    expect(await walk(messages, { limit: 6 })).toEqual([[1, 2, 4, 5, 6, 7]]);
    expect(await walk(messages, { limit: 5 })).toEqual([[1, 2, 4, 5, 6], [7]]);
    expect(await messages.inboxPage(pageOf({ afterPosition: 7 }))).toEqual({
      entries: [],
      nextAfter: null,
      waiting: 6,
    });
    expect(await messages.inboxPage(pageOf({ mailbox: carol }))).toEqual({ entries: [], nextAfter: null, waiting: 0 });
  });

  it('filters by workflow, and counts the whole inbox all the same', async () => {
    const { messages } = at.ledger;
    for (let n = 1; n <= 9; n += 1) await deliver(messages, n, { workflowId: n % 4 === 0 ? 'RARE' : 'WF' });
    expect(await walk(messages, { filter: only })).toEqual([[4, 8]]);
    expect(await walk(messages, { filter: parseWorkflowFilter('!RARE'), limit: 3 })).toEqual([
      [1, 2, 3],
      [5, 6, 7],
      [9],
    ]);
    expect((await messages.inboxPage(pageOf({ filter: only }))).waiting).toBe(9);
  });

  it('examines no more than it may, and goes on behind an empty page', async () => {
    const { messages } = at.ledger;
    for (let n = 1; n <= 9; n += 1) await deliver(messages, n, { workflowId: n === 8 ? 'RARE' : 'WF' });
    expect(await messages.inboxPage(pageOf({ filter: only, examineMax: 3 }))).toEqual({
      entries: [],
      nextAfter: 3,
      waiting: 9,
    });
    expect(await walk(messages, { filter: only, examineMax: 3 })).toEqual([[], [], [8]]);
    expect(await walk(messages, { filter: only, examineMax: 4 })).toEqual([[], [8], []]);
    expect(await walk(messages, { filter: only, examineMax: 1 })).toHaveLength(9);
  });

  it('commits the nonce of whoever collects a page, whether the page is short, long or filtered', async () => {
    const { messages, nonces } = at.ledger;
    await deliver(messages, 1);
    const queries = [pageOf(), pageOf({ limit: 100_000 }), pageOf({ filter: only })];
    for (const [n, query] of queries.entries()) {
      const nonce = nonceOf(`n${n}:1`, { mailbox: bob });
      const page = await messages.collectPage(query, nonce);
      expect(page).toEqual({ kind: 'page', ...(await messages.inboxPage(query)) });
      expect(await messages.collectPage(query, nonce)).toEqual({ kind: 'nonce-used', seenAtMs: bornAtMs });
      expect(await nonces.claim(nonce)).toMatchObject({ kind: 'nonce-used' });
    }
  });

  it('knows where a message stands or stood, in the mailbox it came to', async () => {
    const { messages } = at.ledger;
    await deliver(messages, 1);
    await deliver(messages, 2);
    await messages.acknowledge(acknowledgeOf(idOf(2)));
    expect(await messages.positionOf(bob, idOf(2))).toBe(2);
    expect(await messages.positionOf(carol, idOf(2))).toBeNull();
    expect(await messages.positionOf(bob, idOf(3))).toBeNull();
  });
}

const downloadOf = (messageId: MessageId, changes: Partial<ChunkQuery> = {}): ChunkQuery => {
  return { messageId, chunkNumber: 1, states: ['accepted'], nowMs: bornAtMs, ...changes };
};

export function promiseCollecting(at: LedgerSource): void {
  it('hands out inline bytes and commits the nonce with them', async () => {
    const { messages, nonces } = at.ledger;
    const id = await deliver(messages, 1);
    const found = await messages.collectChunk(downloadOf(id), collector);
    expect(found).toMatchObject({ kind: 'found', claimed: true, message: { messageId: id }, chunk: { sizeBytes: 3 } });
    expect(await nonces.claim(collector)).toEqual({ kind: 'nonce-used', seenAtMs: bornAtMs });
    expect(await messages.collectChunk(downloadOf(id), collector)).toEqual({ kind: 'nonce-used', seenAtMs: bornAtMs });
  });

  it('leaves the nonce to the caller for bytes that lie elsewhere and for a chunk that is not there', async () => {
    const { messages, nonces } = at.ledger;
    const payload = newPayload(idOf(1), { chunk: durableChunk('body-1') });
    await messages.accept(acceptOf([newMessage(idOf(1))], { payload }));
    const elsewhere = await messages.collectChunk(downloadOf(idOf(1)), collector);
    expect(elsewhere).toMatchObject({ kind: 'found', claimed: false, chunk: { ref: 'body-1' } });
    const missing = await messages.collectChunk(downloadOf(idOf(1), { chunkNumber: 2 }), collector);
    expect(missing).toMatchObject({ kind: 'found', claimed: false, chunk: null });
    expect(await messages.collectChunk(downloadOf(idOf(9)), collector)).toEqual({ kind: 'unknown' });
    expect(await nonces.claim(collector)).toEqual({ kind: 'claimed' });
  });

  it('claims nothing for a message that may not be handed out: another’s, past its hiding date, or in another state', async () => {
    const { messages, nonces } = at.ledger;
    const id = await deliver(messages, 1);
    const carols = { ...collector, mailbox: carol };
    expect(await messages.collectChunk(downloadOf(id), carols)).toMatchObject({ kind: 'found', claimed: false });
    const hidden = downloadOf(id, { nowMs: bornAtMs + 30 * dayMs });
    expect(await messages.collectChunk(hidden, collector)).toMatchObject({ claimed: false });
    await messages.acknowledge(acknowledgeOf(id));
    expect(await messages.collectChunk(downloadOf(id), collector)).toMatchObject({ claimed: false });
    expect(await nonces.claim(carols)).toEqual({ kind: 'claimed' });
    const acknowledgedToo = downloadOf(id, { states: ['accepted', 'acknowledged'] });
    expect(await messages.collectChunk(acknowledgedToo, collector)).toMatchObject({ claimed: true });
  });
}

export function promiseFinding(at: LedgerSource): void {
  it('finds by local key at most two, of one sender, that are not past their hiding date', async () => {
    const { messages } = at.ledger;
    const hideAtMs = bornAtMs + dayMs;
    for (const n of [1, 2]) await deliver(messages, n, { localKey: 'k', hideAtMs });
    await deliver(messages, 3, { localKey: 'k' });
    await deliver(messages, 4, { localKey: 'other' });
    await deliver(messages, 5, { localKey: 'k', sender: carol });
    expect(await messages.findByLocalKey(alice, 'k', bornAtMs)).toHaveLength(2);
    expect(await messages.findByLocalKey(alice, 'k', hideAtMs)).toMatchObject([{ messageId: idOf(3) }]);
    expect(await messages.findByLocalKey(alice, 'other', bornAtMs)).toMatchObject([{ messageId: idOf(4) }]);
    expect(await messages.findByLocalKey(bob, 'k', bornAtMs)).toEqual([]);
  });

  it('lists an inbox and an outbox richly, the newest first, page by page', async () => {
    const { messages } = at.ledger;
    for (let n = 1; n <= 5; n += 1) await deliver(messages, n, { createdAtMs: bornAtMs + n });
    await beginUpload(messages, 6, 2);
    await deliver(messages, 7, { sender: carol, recipient: alice });
    await messages.changeState(changeOf(idOf(5)));
    const query = { mailbox: bob, sinceMs: 0, nowMs: bornAtMs, beforeMessageId: null, limit: 10 };
    const ids = async (changes: Partial<Parameters<MessageLedger['rich']>[0]>) =>
      (await messages.rich({ ...query, box: 'inbox', ...changes })).map(({ messageId }) => messageId);
    expect(await ids({})).toEqual([5, 4, 3, 2, 1].map(idOf));
    expect(await ids({ limit: 2 })).toEqual([5, 4].map(idOf));
    expect(await ids({ limit: 2, beforeMessageId: idOf(4) })).toEqual([3, 2].map(idOf));
    expect(await ids({ sinceMs: bornAtMs + 3 })).toEqual([5, 4].map(idOf));
    expect(await ids({ nowMs: bornAtMs + 30 * dayMs })).toEqual([]);
    expect(await ids({ box: 'outbox' })).toEqual([]);
    expect(await ids({ box: 'outbox', mailbox: alice })).toEqual([6, 5, 4, 3, 2, 1].map(idOf));
    const [entry] = await messages.rich({ ...query, box: 'inbox', limit: 1 });
    expect(entry).toEqual({
      messageId: idOf(5),
      messageType: 'DATA',
      sender: alice,
      recipient: bob,
      workflowId: 'WF',
      state: 'undeliverable',
      statusCode: '14',
      sealed: 'sealed',
      createdAtMs: bornAtMs + 5,
      expiresAtMs: bornAtMs + 5 * dayMs,
      totalChunks: 1,
    });
  });
}
