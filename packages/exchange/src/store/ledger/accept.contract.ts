import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import type { LedgerSource } from '../ledger.contract.ts';
import {
  acceptOf,
  alice,
  bob,
  bornAtMs,
  carol,
  dayMs,
  deliver,
  durableChunk,
  idOf,
  inlineChunk,
  listed,
  newMessage,
  newPayload,
  nonceOf,
  pageOf,
  reportAbout,
} from '../ledger-probe.ts';
import { type IdempotencyClaim, refusedFingerprint } from './messages.ts';
import { workflowDefaults } from './registry.ts';

const key = (changes: Partial<IdempotencyClaim> = {}): IdempotencyClaim => ({
  mailbox: alice,
  key: 'key-1',
  fingerprint: 'print-1',
  expiresAtMs: bornAtMs + 30 * dayMs,
  ...changes,
});

const sha256 = (body: Uint8Array): string => createHash('sha256').update(body).digest('hex');

const auditOf = (subject: string) => ({ atMs: 1, actor: 'test', action: 'workflow.add', subject, detail: '{}' });

export function promiseAccepting(at: LedgerSource): void {
  it('keeps a message with all it came with, and puts it at the end of its recipient’s inbox', async () => {
    const message = newMessage(idOf(1), { compressed: true, encrypted: true, localKey: 'k', linkedMessageId: idOf(9) });
    expect(await at.ledger.messages.accept(acceptOf([message]))).toEqual({ kind: 'accepted' });
    const { removeAtMs: _later, localKey: _digest, status: _words, events, ...kept } = message;
    const record = await at.ledger.messages.find(idOf(1));
    expect(record).toMatchObject({ ...kept, acceptedAtMs: bornAtMs, stateAtMs: bornAtMs });
    expect(record).toMatchObject({ statusCode: '00', statusEvent: 'TRANSFER', statusDescription: 'sent' });
    expect(record).toMatchObject({ totalChunks: 1, sizeBytes: 3, contentEncoding: '', payloadDeleted: false });
    expect(record).toMatchObject({ acknowledgedAtMs: null, firstListedAtMs: null, downloads: 0 });
    expect(await at.ledger.messages.timeline(idOf(1))).toEqual([{ eventNo: 1, ...events[0] }]);
    expect(await at.ledger.messages.inboxPage(pageOf())).toEqual({
      entries: [{ messageId: idOf(1), position: 1 }],
      nextAfter: null,
      waiting: 1,
    });
  });

  it('gives positions in the order of commit, and counts each mailbox for itself', async () => {
    const sent = [bob, carol, bob, bob, carol];
    await Promise.all(sent.map((recipient, n) => deliver(at.ledger.messages, n, { recipient })));
    const positions = await Promise.all(sent.map((mailbox, n) => at.ledger.messages.positionOf(mailbox, idOf(n))));
    expect(positions).toEqual([1, 1, 2, 3, 2]);
    expect(await at.ledger.messages.waitingCount(bob)).toBe(3);
    expect(await at.ledger.messages.waitingCount(carol)).toBe(2);
    expect(await at.ledger.messages.waitingCount(alice)).toBe(0);
  });

  it.each([0, 1, 65_536, 1_000_000])('gives back an inline body of %i bytes as it was', async (size) => {
    const bytes = new Uint8Array(size).map((_, index) => (index * 7) % 251);
    const payload = newPayload(idOf(1), { contentEncoding: 'gzip', chunk: inlineChunk(bytes) });
    await at.ledger.messages.accept(acceptOf([newMessage(idOf(1))], { payload }));
    const found = await at.ledger.messages.findWithChunk(idOf(1), 1);
    expect(found?.message).toMatchObject({ sizeBytes: size, contentEncoding: 'gzip' });
    expect(found?.chunk).toMatchObject({ chunkNumber: 1, sizeBytes: size, sha256: 'sha-1', blockDigests: 'blocks-1' });
    expect(found?.chunk).toMatchObject({ ref: null, storedAtMs: bornAtMs });
    expect(sha256(found?.chunk?.inline ?? Uint8Array.of(1))).toBe(sha256(bytes));
  });

  it('gives back the reference of a body that lies elsewhere, and null for a chunk that is not there', async () => {
    const payload = newPayload(idOf(1), { chunk: durableChunk('body-1') });
    await at.ledger.messages.accept(acceptOf([newMessage(idOf(1))], { payload }));
    const found = await at.ledger.messages.findWithChunk(idOf(1), 1);
    expect(found?.chunk).toMatchObject({ inline: null, ref: 'body-1', sizeBytes: 100 });
    expect((await at.ledger.messages.findWithChunk(idOf(1), 2))?.chunk).toBeNull();
    expect(await at.ledger.messages.findWithChunk(idOf(2), 1)).toBeNull();
    expect(await at.ledger.messages.find(idOf(2))).toBeNull();
  });

  it('lets several messages share one payload, of one commit and of a later one', async () => {
    const copies = [bob, carol].map((recipient, n) => newMessage(idOf(n), { recipient, payloadId: 'shared' }));
    await at.ledger.messages.accept(acceptOf(copies));
    const later = newMessage(idOf(2), { payloadId: 'shared' });
    await at.ledger.messages.accept(acceptOf([later], { payload: null }));
    const found = await Promise.all([0, 1, 2].map((n) => at.ledger.messages.findWithChunk(idOf(n), 1)));
    expect(found.map((each) => Array.from(each?.chunk?.inline ?? []))).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(await listed(at.ledger.messages, bob)).toEqual([idOf(0), idOf(2)]);
    expect(await listed(at.ledger.messages, carol)).toEqual([idOf(1)]);
  });

  it('keeps a message that failed out of every inbox, with its report in the sender’s', async () => {
    const failed = newMessage(idOf(1), { state: 'error', payloadId: null, recipient: null, expiresAtMs: null });
    await at.ledger.messages.accept(acceptOf([failed, reportAbout(idOf(1), idOf(2))]));
    expect(await at.ledger.messages.find(idOf(1))).toMatchObject({
      state: 'error',
      acceptedAtMs: null,
      totalChunks: 0,
    });
    expect(await at.ledger.messages.find(idOf(2))).toMatchObject({ messageType: 'REPORT', linkedMessageId: idOf(1) });
    expect(await listed(at.ledger.messages, alice)).toEqual([idOf(2)]);
    expect(await at.ledger.messages.waitingCount(bob)).toBe(0);
  });

  it('keeps a message whose address is yet to be resolved without an inbox entry', async () => {
    await deliver(at.ledger.messages, 1, { state: 'routing', expiresAtMs: null });
    expect(await at.ledger.messages.find(idOf(1))).toMatchObject({ state: 'routing', expiresAtMs: null });
    expect(await at.ledger.messages.waitingCount(bob)).toBe(0);
    expect(await at.ledger.messages.positionOf(bob, idOf(1))).toBeNull();
  });

  it('answers the same when it is applied twice with the same ids, and does nothing more', async () => {
    const command = acceptOf([newMessage(idOf(1)), newMessage(idOf(2), { recipient: carol, payloadId: idOf(1) })], {
      nonce: nonceOf('n:1'),
      idempotency: key(),
    });
    const [first, second] = [await at.ledger.messages.accept(command), await at.ledger.messages.accept(command)];
    expect([first, second]).toEqual([{ kind: 'accepted' }, { kind: 'accepted' }]);
    const unsigned = { ...command, nonce: null };
    expect(await at.ledger.messages.accept(unsigned)).toEqual({ kind: 'accepted' });
    expect(await at.ledger.messages.waitingCount(bob)).toBe(1);
    expect(await at.ledger.messages.waitingCount(carol)).toBe(1);
    expect(await at.ledger.messages.timeline(idOf(1))).toHaveLength(1);
  });

  it('answers the first message’s id to the same idempotency key with the same content', async () => {
    await at.ledger.messages.accept(acceptOf([newMessage(idOf(1))], { idempotency: key() }));
    const again = acceptOf([newMessage(idOf(2))], { idempotency: key() });
    expect(await at.ledger.messages.accept(again)).toEqual({ kind: 'repeated', messageId: idOf(1) });
    expect(await at.ledger.messages.find(idOf(2))).toBeNull();
    expect(await at.ledger.messages.waitingCount(bob)).toBe(1);
  });

  it('knows the same content also as it was written under an earlier key', async () => {
    await at.ledger.messages.accept(
      acceptOf([newMessage(idOf(1))], { idempotency: key({ fingerprint: 'as-before' }) }),
    );
    const later = key({ fingerprint: 'as-now', others: ['as-before', 'as-long-ago'] });
    const again = acceptOf([newMessage(idOf(2))], { idempotency: later });
    expect(await at.ledger.messages.accept(again)).toEqual({ kind: 'repeated', messageId: idOf(1) });
    const other = acceptOf([newMessage(idOf(2))], { idempotency: key({ fingerprint: 'as-now', others: ['else'] }) });
    expect(await at.ledger.messages.accept(other)).toEqual({ kind: 'key-conflict' });
  });

  it('refuses an idempotency key used for other content, and the refused request’s nonce stays unused', async () => {
    await at.ledger.messages.accept(acceptOf([newMessage(idOf(1))], { idempotency: key() }));
    const other = acceptOf([newMessage(idOf(2))], {
      nonce: nonceOf('n:1'),
      idempotency: key({ fingerprint: 'print-2' }),
    });
    expect(await at.ledger.messages.accept(other)).toEqual({ kind: 'key-conflict' });
    expect(await at.ledger.messages.find(idOf(2))).toBeNull();
    expect(await at.ledger.nonces.claim(nonceOf('n:1'))).toEqual({ kind: 'claimed' });
  });

  it('answers a refusal’s id to its repeat under the same key, and gives the key to whatever else comes', async () => {
    const refused = key({ fingerprint: refusedFingerprint('print-1') });
    const accept = async (number: number, idempotency: IdempotencyClaim) => {
      const about = newMessage(idOf(number), { state: 'error', recipient: null, payloadId: null });
      return await at.ledger.messages.accept(acceptOf([about], { idempotency, payload: null }));
    };
    expect(await accept(1, refused)).toEqual({ kind: 'accepted' });
    expect(await accept(2, refused)).toEqual({ kind: 'repeated', messageId: idOf(1) });
    expect(await accept(6, key({ fingerprint: refusedFingerprint('print-2') }))).toEqual({ kind: 'accepted' });
    const taken = acceptOf([newMessage(idOf(3))], { idempotency: key() });
    expect(await at.ledger.messages.accept(taken)).toEqual({ kind: 'accepted' });
    const again = acceptOf([newMessage(idOf(4))], { idempotency: key() });
    expect(await at.ledger.messages.accept(again)).toEqual({ kind: 'repeated', messageId: idOf(3) });
    expect(await accept(5, refused)).toEqual({ kind: 'key-conflict' });
  });

  it('scopes an idempotency key to its mailbox', async () => {
    await at.ledger.messages.accept(acceptOf([newMessage(idOf(1))], { idempotency: key() }));
    const others = acceptOf([newMessage(idOf(2), { sender: carol })], {
      idempotency: key({ mailbox: carol, fingerprint: 'print-2' }),
    });
    expect(await at.ledger.messages.accept(others)).toEqual({ kind: 'accepted' });
    expect(await listed(at.ledger.messages, bob)).toEqual([idOf(1), idOf(2)]);
  });

  it('lets a swept idempotency key be used again', async () => {
    await at.ledger.messages.accept(acceptOf([newMessage(idOf(1))], { idempotency: key() }));
    const sweep = { nowMs: bornAtMs + 30 * dayMs, limit: 10 };
    expect(await at.ledger.jobs.sweepIdempotencyKeys({ ...sweep, nowMs: sweep.nowMs - 1 })).toBe(0);
    expect(await at.ledger.jobs.sweepIdempotencyKeys(sweep)).toBe(1);
    const again = acceptOf([newMessage(idOf(2))], { idempotency: key({ fingerprint: 'print-2' }) });
    expect(await at.ledger.messages.accept(again)).toEqual({ kind: 'accepted' });
  });

  it('leaves no trace of a decision made on an old registry: no message, no key, no nonce', async () => {
    const workflow = { ...workflowDefaults, workflowId: 'WF' };
    const { version } = await at.ledger.registry.change({ workflows: [workflow], audit: auditOf('WF') });
    const command = acceptOf([newMessage(idOf(1))], {
      registryVersion: version - 1,
      nonce: nonceOf('n:1'),
      idempotency: key(),
    });
    expect(await at.ledger.messages.accept(command)).toEqual({ kind: 'stale', version });
    expect(await at.ledger.messages.find(idOf(1))).toBeNull();
    expect(await at.ledger.messages.waitingCount(bob)).toBe(0);
    expect(await at.ledger.messages.accept({ ...command, registryVersion: version })).toEqual({ kind: 'accepted' });
  });

  it('sees the registry move between two commands of one commit', async () => {
    const workflow = { ...workflowDefaults, workflowId: 'WF' };
    const { messages, registry } = at.ledger;
    const sent = [1, 2].map((n) => acceptOf([newMessage(idOf(n))], { registryVersion: 0 })) as [never, never];
    const answers = await Promise.all([
      messages.accept(sent[0]),
      registry.change({ workflows: [workflow], audit: auditOf('WF') }),
      messages.accept(sent[1]),
    ]);
    expect(answers).toEqual([{ kind: 'accepted' }, { version: 1, rowsChanged: 1 }, { kind: 'stale', version: 1 }]);
    expect(await listed(messages, bob)).toEqual([idOf(1)]);
  });

  it('stores nothing for a token that was used', async () => {
    await at.ledger.nonces.claim(nonceOf('n:1'));
    const command = acceptOf([newMessage(idOf(1))], { nonce: nonceOf('n:1'), idempotency: key() });
    expect(await at.ledger.messages.accept(command)).toEqual({ kind: 'nonce-used', seenAtMs: bornAtMs });
    expect(await at.ledger.messages.find(idOf(1))).toBeNull();
    expect(await at.ledger.messages.accept({ ...command, nonce: nonceOf('n:2') })).toEqual({ kind: 'accepted' });
  });

  it('shows everything it answered for when it is opened again', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, n) => deliver(at.ledger.messages, n)));
    const ledger = await at.reopen();
    expect(await listed(ledger.messages, bob)).toHaveLength(50);
    await deliver(ledger.messages, 50);
    expect(await ledger.messages.positionOf(bob, idOf(50))).toBe(51);
  });
}
