import { expect, it } from 'vitest';
import type { LedgerSource } from '../ledger.contract.ts';
import {
  acknowledgeOf,
  alice,
  beginUpload,
  bob,
  bornAtMs,
  carol,
  changeOf,
  dayMs,
  deliver,
  idOf,
  listed,
  nonceOf,
  reportAbout,
} from '../ledger-probe.ts';
import type { CollectionFacts } from './message-records.ts';
import type { NewEvent } from './messages.ts';

const never = { firstListedAtMs: null, firstDownloadAtMs: null, lastDownloadAtMs: null, downloads: 0 };

function collected(n: number, facts: Partial<CollectionFacts>): CollectionFacts {
  return { mailbox: bob, messageId: idOf(n), ...never, ...facts };
}

const event = (kind: string, atMs: number): NewEvent => ({ atMs, actor: 'exchange', kind, detail: kind });

export function promiseAcknowledging(at: LedgerSource): void {
  it('takes the message out of the inbox for good and writes it on the timeline', async () => {
    const { messages } = at.ledger;
    const id = await deliver(messages, 1);
    await deliver(messages, 2);
    expect(await messages.acknowledge(acknowledgeOf(id))).toEqual({ kind: 'acknowledged' });
    const atMs = bornAtMs + 1000;
    expect(await messages.find(id)).toMatchObject({ state: 'acknowledged', acknowledgedAtMs: atMs, stateAtMs: atMs });
    expect(await listed(messages, bob)).toEqual([idOf(2)]);
    expect(await messages.waitingCount(bob)).toBe(1);
    expect(await messages.positionOf(bob, id)).toBe(1);
    expect((await messages.timeline(id)).at(-1)).toEqual({
      eventNo: 2,
      atMs,
      actor: 'BOB',
      kind: 'acknowledged',
      detail: '',
    });
  });

  it('is harmless a second time: the first moment stays and nothing is counted twice', async () => {
    const { messages } = at.ledger;
    const id = await deliver(messages, 1);
    await messages.acknowledge(acknowledgeOf(id));
    expect(await messages.acknowledge(acknowledgeOf(id, { atMs: bornAtMs + 5000 }))).toEqual({ kind: 'unchanged' });
    expect(await messages.find(id)).toMatchObject({ acknowledgedAtMs: bornAtMs + 1000 });
    expect(await messages.waitingCount(bob)).toBe(0);
    expect(await messages.timeline(id)).toHaveLength(2);
  });

  it('changes nothing for a message that was withdrawn or is still uploading', async () => {
    const { messages } = at.ledger;
    const withdrawn = await deliver(messages, 1);
    await messages.changeState(changeOf(withdrawn));
    const uploading = await beginUpload(messages, 2, 2);
    for (const id of [withdrawn, uploading]) {
      expect(await messages.acknowledge(acknowledgeOf(id))).toEqual({ kind: 'unchanged' });
    }
    expect((await messages.find(withdrawn))?.state).toBe('undeliverable');
    expect((await messages.find(uploading))?.state).toBe('uploading');
  });

  it('knows no message that is not there and none of another mailbox, and uses up no token for either', async () => {
    const { messages, nonces } = at.ledger;
    const id = await deliver(messages, 1);
    const nonce = nonceOf('n:1', { mailbox: carol });
    const asCarol = { mailbox: carol, nonce };
    expect(await messages.acknowledge(acknowledgeOf(id, asCarol))).toEqual({ kind: 'forbidden' });
    expect(await messages.acknowledge(acknowledgeOf(idOf(9), asCarol))).toEqual({ kind: 'not-found' });
    expect(await nonces.claim(nonce)).toEqual({ kind: 'claimed' });
    expect(await messages.waitingCount(bob)).toBe(1);
  });

  it('leaves the message waiting when the token was used', async () => {
    const { messages, nonces } = at.ledger;
    const id = await deliver(messages, 1);
    const nonce = nonceOf('n:1', { mailbox: bob });
    await nonces.claim(nonce);
    expect(await messages.acknowledge(acknowledgeOf(id, { nonce }))).toEqual({
      kind: 'nonce-used',
      seenAtMs: bornAtMs,
    });
    expect(await listed(messages, bob)).toEqual([id]);
  });

  it('keeps the first listing and the first download, the last download, and counts all of them', async () => {
    const { messages } = at.ledger;
    await deliver(messages, 1);
    await messages.recordCollections([
      collected(1, { firstListedAtMs: 10 }),
      collected(1, { firstListedAtMs: 11, firstDownloadAtMs: 20, lastDownloadAtMs: 30, downloads: 2 }),
      collected(7, { downloads: 1 }),
    ]);
    await messages.recordCollections([collected(1, { firstDownloadAtMs: 40, lastDownloadAtMs: 40, downloads: 1 })]);
    const facts = { firstListedAtMs: 10, firstDownloadAtMs: 20, lastDownloadAtMs: 40, downloads: 3 };
    expect(await messages.find(idOf(1))).toMatchObject({ state: 'accepted', ...facts });
    const last = collected(1, { firstListedAtMs: 50, lastDownloadAtMs: 60, downloads: 4 });
    await messages.acknowledge(acknowledgeOf(idOf(1), { collection: last }));
    expect(await messages.find(idOf(1))).toMatchObject({
      ...facts,
      state: 'acknowledged',
      lastDownloadAtMs: 60,
      downloads: 7,
    });
  });
}

export function promiseChangingState(at: LedgerSource): void {
  it('withdraws a waiting message, reports it, and does both once', async () => {
    const { messages } = at.ledger;
    const id = await deliver(messages, 1);
    const command = changeOf(id, { from: ['accepted'], report: reportAbout(id, idOf(2)) });
    expect(await messages.changeState(command)).toEqual({ kind: 'changed' });
    expect(await messages.changeState(command)).toEqual({ kind: 'unchanged' });
    expect(await messages.find(id)).toMatchObject({
      state: 'undeliverable',
      statusCode: '14',
      statusEvent: 'EXPIRE',
      statusDescription: 'not collected',
      stateAtMs: bornAtMs + 2000,
    });
    expect(await messages.waitingCount(bob)).toBe(0);
    expect(await listed(messages, alice)).toEqual([idOf(2)]);
    expect((await messages.timeline(id)).map(({ kind }) => kind)).toEqual(['accepted', 'expired']);
    expect(await messages.changeState(changeOf(idOf(9)))).toEqual({ kind: 'not-found' });
  });

  it('does nothing unless the message is in a state it may come from', async () => {
    const { messages } = at.ledger;
    const id = await deliver(messages, 1);
    const command = changeOf(id, { from: ['uploading', 'routing'], report: reportAbout(id, idOf(2)) });
    expect(await messages.changeState(command)).toEqual({ kind: 'unchanged' });
    expect(await messages.timeline(id)).toHaveLength(1);
    expect(await messages.find(idOf(2))).toBeNull();
    expect(await listed(messages, bob)).toEqual([id]);
  });

  it('lets an expiry pass over a message that is not due', async () => {
    const { messages } = at.ledger;
    const id = await deliver(messages, 1);
    const due = bornAtMs + 5 * dayMs;
    expect(await messages.changeState(changeOf(id, { onlyIfDueAtMs: due - 1 }))).toEqual({ kind: 'unchanged' });
    expect(await messages.changeState(changeOf(id, { onlyIfDueAtMs: due }))).toEqual({ kind: 'changed' });
  });

  it.each(['acknowledged', 'undeliverable', 'error'] as const)(
    'puts back a message that was %s at the end of the inbox, under a position of its own',
    async (state) => {
      const { messages } = at.ledger;
      const id = await deliver(messages, 1);
      await deliver(messages, 2);
      await messages.changeState(changeOf(id, { to: state }));
      expect(await messages.waitingCount(bob)).toBe(1);
      const expiresAtMs = bornAtMs + 9 * dayMs;
      const back = changeOf(id, { to: 'accepted', expiresAtMs });
      expect(await messages.changeState(back)).toEqual({ kind: 'changed' });
      expect(await listed(messages, bob)).toEqual([idOf(2), id]);
      expect(await messages.positionOf(bob, id)).toBe(3);
      expect(await messages.waitingCount(bob)).toBe(2);
      expect(await messages.find(id)).toMatchObject({ state: 'accepted', expiresAtMs, acknowledgedAtMs: null });
      expect(await messages.acknowledge(acknowledgeOf(id))).toEqual({ kind: 'acknowledged' });
      expect(await messages.waitingCount(bob)).toBe(1);
    },
  );

  it('does not deliver a waiting message twice when it is put back', async () => {
    const { messages } = at.ledger;
    const id = await deliver(messages, 1);
    await messages.changeState(changeOf(id, { to: 'accepted', expiresAtMs: bornAtMs + 9 * dayMs }));
    expect(await listed(messages, bob)).toEqual([id]);
    expect(await messages.waitingCount(bob)).toBe(1);
  });

  it('keeps a message that was put back, and its bytes, at least as long as it waits', async () => {
    const { messages, jobs } = at.ledger;
    const id = await deliver(messages, 1);
    await messages.changeState(changeOf(id));
    const expiresAtMs = bornAtMs + 34 * dayMs;
    await messages.changeState(changeOf(id, { to: 'accepted', expiresAtMs }));
    const nowMs = expiresAtMs - 1;
    expect(await jobs.payloadsDue({ nowMs, limit: 10 })).toEqual([]);
    expect(await jobs.hideRecords({ nowMs, limit: 10 })).toBe(0);
    expect(await messages.find(id)).toMatchObject({ hideAtMs: expiresAtMs, sealed: 'sealed' });
    expect(await jobs.payloadsDue({ nowMs: expiresAtMs, limit: 10 })).toEqual([{ payloadId: id, refs: [] }]);
  });

  it('records the moment of an acknowledgement by hand', async () => {
    const { messages } = at.ledger;
    const id = await deliver(messages, 1);
    await messages.changeState(changeOf(id, { to: 'acknowledged' }));
    expect(await messages.find(id)).toMatchObject({ state: 'acknowledged', acknowledgedAtMs: bornAtMs + 2000 });
    expect(await messages.acknowledge(acknowledgeOf(id))).toEqual({ kind: 'unchanged' });
    expect(await messages.waitingCount(bob)).toBe(0);
  });

  it('links a message to another, and keeps the link when a later change names none', async () => {
    const { messages } = at.ledger;
    const id = await deliver(messages, 1);
    await messages.changeState(changeOf(id, { linkedMessageId: idOf(5) }));
    await messages.changeState(changeOf(id, { to: 'error' }));
    expect(await messages.find(id)).toMatchObject({ linkedMessageId: idOf(5) });
  });

  it('numbers a timeline in the order its events were added, whatever their times say', async () => {
    const { messages } = at.ledger;
    const id = await deliver(messages, 1);
    await Promise.all(['b', 'a', 'c'].map((kind, n) => messages.addEvent(id, event(kind, bornAtMs - n))));
    const told = (await messages.timeline(id)).map(({ eventNo, kind }) => `${eventNo} ${kind}`);
    expect(told).toEqual(['1 accepted', '2 b', '3 a', '4 c']);
    expect(await messages.timeline(idOf(2))).toEqual([]);
  });

  it('keeps the order of a timeline however many events it has, long ones among short, the acknowledgement last', async () => {
    const { messages } = at.ledger;
    const id = await deliver(messages, 1);
    const long = (n: number) => ({
      ...event(`k${n}`, bornAtMs + n),
      detail: `"${'x'.repeat(n % 3 === 0 ? 300 : 3)}"\n`,
    });
    for (let n = 0; n < 40; n += 1) await messages.addEvent(id, long(n));
    await messages.acknowledge(acknowledgeOf(id));
    const told = await messages.timeline(id);
    expect(told.slice(1, -1)).toEqual(Array.from({ length: 40 }, (_, n) => ({ eventNo: n + 2, ...long(n) })));
    expect(told.at(-1)).toMatchObject({ eventNo: 42, kind: 'acknowledged' });
    await messages.addEvent(idOf(2), event('stray', bornAtMs));
    expect(await messages.timeline(idOf(2))).toEqual([]);
  });
}
