import type { MessageId } from '@openmesh/protocol';
import { expect, it } from 'vitest';
import type { LedgerSource } from '../ledger.contract.ts';
import {
  acceptOf,
  acknowledgeOf,
  addChunkOf,
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
  listed,
  newMessage,
  newPayload,
  nonceOf,
  ref,
} from '../ledger-probe.ts';

const far = bornAtMs + 1000 * dayMs;
const many = { nowMs: far, limit: 100 };

export function promiseJobs(at: LedgerSource): void {
  it('lends a job to one holder at a time, who may renew it, until its time is over', async () => {
    const { jobs } = at.ledger;
    const lease = (holder: string, nowMs: number) => jobs.lease({ name: 'expiry', holder, nowMs, untilMs: nowMs + 10 });
    expect(await lease('one', 100)).toBe(true);
    expect(await lease('two', 105)).toBe(false);
    expect(await lease('one', 108)).toBe(true);
    expect(await lease('two', 117)).toBe(false);
    expect(await lease('two', 118)).toBe(true);
    expect(await lease('one', 119)).toBe(false);
    expect(await jobs.lease({ name: 'sweeps', holder: 'one', nowMs: 119, untilMs: 130 })).toBe(true);
  });

  it('lends a job whose lease was taken under a clock that was far ahead and has been set right', async () => {
    const { jobs } = at.ledger;
    const lease = (holder: string, nowMs: number) => jobs.lease({ name: 'expiry', holder, nowMs, untilMs: nowMs + 10 });
    expect(await lease('before', 1_000_000)).toBe(true);
    expect(await lease('after', 100)).toBe(true);
    expect(await lease('before', 105)).toBe(false);
    expect(await lease('another', 95)).toBe(false);
  });

  it('lists what is due to expire, the longest due first, and nothing that does not wait', async () => {
    const { messages, jobs } = at.ledger;
    for (const n of [1, 2, 3, 4]) await deliver(messages, n, { expiresAtMs: bornAtMs + 10 - n });
    await messages.acknowledge(acknowledgeOf(idOf(2)));
    const due = [4, 3, 1].map((n) => ({ mailbox: bob, messageId: idOf(n) }));
    expect(await jobs.deliveriesDue(many)).toEqual(due);
    expect(await jobs.deliveriesDue({ ...many, limit: 1 })).toEqual(due.slice(0, 1));
    expect(await jobs.deliveriesDue({ ...many, nowMs: bornAtMs + 7 })).toEqual(due.slice(0, 2));
    expect(await jobs.deliveriesDue({ ...many, nowMs: bornAtMs })).toEqual([]);
  });

  it('lists uploads begun before a moment, the oldest first, and neither finished nor unresolved messages', async () => {
    const { messages, jobs } = at.ledger;
    await beginUpload(messages, 1, 2);
    await beginUpload(messages, 2, 2);
    const done = await beginUpload(messages, 3, 2);
    await messages.addChunk(addChunkOf(done, durableChunk('body-3-2', 2)));
    await deliver(messages, 4, { state: 'routing', expiresAtMs: null });
    expect(await jobs.uploadsStalled({ beforeMs: bornAtMs, limit: 9 })).toEqual([idOf(1), idOf(2)]);
    expect(await jobs.uploadsStalled({ beforeMs: bornAtMs, limit: 1 })).toEqual([idOf(1)]);
    expect(await jobs.uploadsStalled({ beforeMs: bornAtMs - 1, limit: 9 })).toEqual([]);
  });

  it('forgets a payload on its date: its chunks go, its bodies are named once, and its record stays', async () => {
    const { messages, jobs } = at.ledger;
    const upload = await beginUpload(messages, 1, 2);
    await messages.addChunk(addChunkOf(upload, durableChunk('body-1-2', 2)));
    await deliver(messages, 2);
    const due = [
      { payloadId: idOf(2), refs: [] },
      { payloadId: upload, refs: [ref('body-1-1'), ref('body-1-2')] },
    ];
    expect(await jobs.payloadsDue({ ...many, nowMs: bornAtMs + 30 * dayMs - 1 })).toEqual([]);
    expect(await jobs.payloadsDue({ ...many, nowMs: bornAtMs + 30 * dayMs })).toEqual(due.slice(0, 1));
    expect(await jobs.payloadsDue(many)).toEqual(due);
    expect(await jobs.forgetPayloads([upload, idOf(2), 'unknown'], far)).toEqual([upload, idOf(2)]);
    expect(await jobs.forgetPayloads([upload], far)).toEqual([]);
    expect(await jobs.payloadsDue(many)).toEqual([]);
    const found = await messages.findWithChunk(upload, 1);
    expect(found).toMatchObject({ message: { payloadDeleted: true, totalChunks: 2, sizeBytes: 200 }, chunk: null });
    expect((await jobs.referencedBodies([ref('body-1-1')])).size).toBe(0);
  });

  it('forgets no payload whose date was pushed on since it was listed', async () => {
    const { messages, jobs } = at.ledger;
    const nowMs = bornAtMs + 30 * dayMs;
    const [again, upload] = [await deliver(messages, 1), await beginUpload(messages, 2, 2)];
    await messages.acknowledge(acknowledgeOf(again));
    const due = (await jobs.payloadsDue({ ...many, nowMs })).map(({ payloadId }) => payloadId);
    expect(due).toEqual([again, upload]);
    await messages.changeState(changeOf(again, { to: 'accepted', expiresAtMs: nowMs + 5 * dayMs }));
    await messages.addChunk(addChunkOf(upload, durableChunk('body-2-2', 2)));
    expect(await jobs.forgetPayloads(due, nowMs)).toEqual([]);
    expect(await listed(messages, bob)).toEqual([again, upload]);
    for (const [id, chunkNumber] of [[again, 1] as const, [upload, 1] as const, [upload, 2] as const]) {
      expect((await messages.findWithChunk(id, chunkNumber))?.chunk).toMatchObject({ chunkNumber });
    }
  });

  it('lets nothing wait in an inbox whose bytes were forgotten meanwhile', async () => {
    const { messages, jobs } = at.ledger;
    const [again, upload] = [await deliver(messages, 1), await beginUpload(messages, 2, 2)];
    await messages.acknowledge(acknowledgeOf(again));
    await jobs.forgetPayloads([again, upload], far);
    const back = changeOf(again, { to: 'accepted', expiresAtMs: far + 5 * dayMs });
    expect(await messages.changeState(back)).toEqual({ kind: 'gone' });
    const last = addChunkOf(upload, durableChunk('body-2-2', 2));
    expect(await messages.addChunk(last)).toEqual({ kind: 'not-uploading' });
    expect(await listed(messages, bob)).toEqual([]);
    expect(await messages.find(again)).toMatchObject({ state: 'acknowledged' });
    expect(await messages.find(upload)).toMatchObject({ state: 'uploading' });
  });

  it('keeps the key of a payload beside it until the payload is forgotten, and then nowhere', async () => {
    const { messages, jobs } = at.ledger;
    const key = { keyId: 'k1', wrapped: 'wrapped' };
    const [whole, upload] = [idOf(1), idOf(2)];
    await messages.accept(acceptOf([newMessage(whole)], { payload: newPayload(whole, { key }) }));
    const begun = newPayload(upload, { key, totalChunks: 2, chunk: durableChunk('b') });
    await messages.accept(acceptOf([newMessage(upload, { state: 'uploading' })], { payload: begun }));
    await deliver(messages, 3);
    const keyOf = async (id: MessageId, chunk: number) => (await messages.findWithChunk(id, chunk))?.key;
    expect(await Promise.all([keyOf(whole, 1), keyOf(upload, 1), keyOf(upload, 2)])).toEqual([key, key, key]);
    expect(await keyOf(idOf(3), 1)).toBeNull();
    const wanted = { messageId: whole, chunkNumber: 1, states: ['accepted'] as const, nowMs: bornAtMs };
    expect(await messages.collectChunk(wanted, nonceOf('n', { mailbox: bob }))).toMatchObject({ kind: 'found', key });
    await jobs.forgetPayloads([whole, upload], far);
    expect(await Promise.all([keyOf(whole, 1), keyOf(upload, 1)])).toEqual([null, null]);
  });

  it('keeps a payload as long as the latest of its messages says', async () => {
    const { messages, jobs } = at.ledger;
    const upload = await beginUpload(messages, 1, 2);
    await messages.addChunk(addChunkOf(upload, durableChunk('body-1-2', 2)));
    expect(await jobs.payloadsDue({ ...many, nowMs: bornAtMs + 31 * dayMs - 1 })).toEqual([]);
  });

  it('names, of the bodies it is asked about, those that a row names', async () => {
    const { messages, jobs } = at.ledger;
    await beginUpload(messages, 1, 2);
    await deliver(messages, 2);
    expect([...(await jobs.referencedBodies([ref('x'), ref('body-1-1'), ref('')]))]).toEqual(['body-1-1']);
    expect([...(await jobs.referencedBodies([]))]).toEqual([]);
  });

  it('strips a record of its private texts on its date, and finds it by its local key no more', async () => {
    const { messages, jobs } = at.ledger;
    for (const n of [1, 2, 3]) await deliver(messages, n, { localKey: 'k', hideAtMs: bornAtMs + n });
    expect(await jobs.hideRecords({ nowMs: bornAtMs + 2, limit: 1 })).toBe(1);
    expect(await messages.find(idOf(1))).toMatchObject({ sealed: '', workflowId: 'WF', state: 'accepted' });
    expect(await messages.find(idOf(2))).toMatchObject({ sealed: 'sealed' });
    expect(await jobs.hideRecords({ nowMs: bornAtMs + 2, limit: 9 })).toBe(1);
    expect(await jobs.hideRecords({ nowMs: bornAtMs + 2, limit: 9 })).toBe(0);
    expect(await messages.findByLocalKey(alice, 'k', 0)).toMatchObject([{ messageId: idOf(3) }]);
    expect(await messages.timeline(idOf(1))).toHaveLength(1);
  });

  it('removes everything of a hidden record on its date, so many at a time', async () => {
    const { messages, jobs } = at.ledger;
    for (const n of [1, 2, 3]) await deliver(messages, n, { removeAtMs: bornAtMs + 90 * dayMs + n });
    await messages.acknowledge(acknowledgeOf(idOf(1)));
    expect(await jobs.removeRecords(many)).toBe(0);
    await jobs.hideRecords(many);
    const nowMs = bornAtMs + 90 * dayMs + 2;
    expect(await jobs.removeRecords({ nowMs, limit: 1 })).toBe(1);
    expect(await messages.find(idOf(1))).toBeNull();
    expect(await messages.timeline(idOf(1))).toEqual([]);
    expect(await messages.positionOf(bob, idOf(1))).toBeNull();
    expect(await jobs.removeRecords({ nowMs, limit: 9 })).toBe(1);
    expect(await messages.find(idOf(3))).not.toBeNull();
  });

  it('counts a message that is removed while it waits out of its inbox', async () => {
    const { messages, jobs } = at.ledger;
    for (const n of [1, 2]) await deliver(messages, n);
    await messages.acknowledge(acknowledgeOf(idOf(1)));
    await jobs.hideRecords(many);
    expect(await jobs.removeRecords(many)).toBe(2);
    expect(await messages.waitingCount(bob)).toBe(0);
  });

  it('does not call bytes present that went with another record of the same payload', async () => {
    const { messages, jobs } = at.ledger;
    const copy = newMessage(idOf(2), { recipient: carol, payloadId: idOf(1), removeAtMs: far });
    await messages.accept(acceptOf([newMessage(idOf(1)), copy]));
    await jobs.forgetPayloads([idOf(1)], far);
    await jobs.hideRecords(many);
    expect(await jobs.removeRecords({ ...many, nowMs: far - 1 })).toBe(1);
    expect(await messages.find(idOf(2))).toMatchObject({ payloadDeleted: true });
  });

  it('knows when it was made, also when it is opened again', async () => {
    const madeAtMs = await at.ledger.jobs.madeAtMs();
    expect(madeAtMs).toBeGreaterThan(Date.parse('2026-01-01T00:00:00Z'));
    expect(madeAtMs).toBeLessThanOrEqual(Date.now());
    expect(await (await at.reopen()).jobs.madeAtMs()).toBe(madeAtMs);
  });

  it('keeps the offset of the service clock', async () => {
    expect(await at.ledger.jobs.clockOffset()).toBe(0);
    await at.ledger.jobs.setClockOffset(5 * dayMs);
    await at.ledger.jobs.setClockOffset(6 * dayMs);
    expect(await (await at.reopen()).jobs.clockOffset()).toBe(6 * dayMs);
  });
}

export function promiseReset(at: LedgerSource): void {
  it('forgets every message and names every body, and goes on with the positions', async () => {
    const { messages } = at.ledger;
    await beginUpload(messages, 1, 2);
    await deliver(messages, 2);
    expect(await messages.reset('all')).toEqual(['body-1-1']);
    expect(await messages.find(idOf(2))).toBeNull();
    expect(await messages.timeline(idOf(2))).toEqual([]);
    expect(await messages.inboxPage({ mailbox: bob, afterPosition: 0, limit: 9, filter: null, examineMax: 9 })).toEqual(
      {
        entries: [],
        nextAfter: null,
        waiting: 0,
      },
    );
    await deliver(messages, 2);
    expect(await messages.positionOf(bob, idOf(2))).toBe(2);
  });

  it('forgets what some mailboxes sent or were sent, and leaves the others theirs', async () => {
    const { messages } = at.ledger;
    await beginUpload(messages, 1, 2);
    await deliver(messages, 2);
    await deliver(messages, 3, { sender: carol, recipient: alice });
    await deliver(messages, 4, { sender: carol });
    expect(await messages.reset([alice])).toEqual(['body-1-1']);
    expect(await listed(messages, bob)).toEqual([idOf(4)]);
    expect(await messages.waitingCount(bob)).toBe(1);
    expect(await messages.waitingCount(alice)).toBe(0);
    expect(await messages.reset([])).toEqual([]);
  });

  it('leaves a payload to the other messages that point to it', async () => {
    const { messages } = at.ledger;
    const payload = newPayload('shared', { chunk: durableChunk('body-shared') });
    const copies = [bob, carol].map((recipient, n) => newMessage(idOf(n), { recipient, payloadId: 'shared' }));
    await messages.accept(acceptOf(copies, { payload }));
    expect(await messages.reset([bob])).toEqual([]);
    expect(await messages.findWithChunk(idOf(1), 1)).toMatchObject({ chunk: { ref: 'body-shared' } });
    expect(await messages.reset([carol])).toEqual(['body-shared']);
  });

  it('lets a mailbox use its idempotency keys again', async () => {
    const { messages } = at.ledger;
    const idempotency = { mailbox: alice, key: 'k', fingerprint: 'f', expiresAtMs: far };
    await messages.accept(acceptOf([newMessage(idOf(1))], { idempotency }));
    await messages.reset([alice]);
    expect(await messages.accept(acceptOf([newMessage(idOf(2))], { idempotency }))).toEqual({ kind: 'accepted' });
    await messages.changeState(changeOf(idOf(2)));
    await messages.reset('all');
    expect(await messages.accept(acceptOf([newMessage(idOf(3))], { idempotency }))).toEqual({ kind: 'accepted' });
  });
}
