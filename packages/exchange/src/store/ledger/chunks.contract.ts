import { expect, it } from 'vitest';
import type { LedgerSource } from '../ledger.contract.ts';
import {
  addChunkOf,
  alice,
  beginUpload,
  bob,
  bornAtMs,
  carol,
  completionOf,
  dayMs,
  deliver,
  durableChunk,
  idOf,
  inlineChunk,
  listed,
  nonceOf,
  reportAbout,
} from '../ledger-probe.ts';

export function promiseChunks(at: LedgerSource): void {
  it('takes chunks in any order and delivers with the last one missing', async () => {
    const { messages } = at.ledger;
    const id = await beginUpload(messages, 1, 4);
    const stored = async (n: number) => messages.addChunk(addChunkOf(id, durableChunk(`body-1-${n}`, n)));
    expect(await stored(4)).toEqual({ kind: 'stored', complete: false, replaced: null });
    expect(await stored(2)).toEqual({ kind: 'stored', complete: false, replaced: null });
    expect(await messages.waitingCount(bob)).toBe(0);
    expect(await messages.find(id)).toMatchObject({ state: 'uploading', sizeBytes: 300, acceptedAtMs: null });
    expect(await stored(3)).toEqual({ kind: 'stored', complete: true, replaced: null });
    expect(await messages.find(id)).toMatchObject({
      state: 'accepted',
      totalChunks: 4,
      sizeBytes: 400,
      acceptedAtMs: bornAtMs + 1,
      stateAtMs: bornAtMs + 1,
      expiresAtMs: bornAtMs + 6 * dayMs,
      hideAtMs: bornAtMs + 31 * dayMs,
    });
    expect(await listed(messages, bob)).toEqual([id]);
    expect((await messages.timeline(id)).map(({ kind }) => kind)).toEqual(['accepted', 'completed']);
    for (const n of [1, 2, 3, 4]) {
      expect((await messages.findWithChunk(id, n))?.chunk).toMatchObject({ chunkNumber: n, ref: `body-1-${n}` });
    }
  });

  it('takes its position when it is complete, behind what was accepted meanwhile', async () => {
    const id = await beginUpload(at.ledger.messages, 1, 2);
    await deliver(at.ledger.messages, 2);
    await at.ledger.messages.addChunk(addChunkOf(id, durableChunk('body-1-2', 2)));
    expect(await listed(at.ledger.messages, bob)).toEqual([idOf(2), id]);
  });

  it('replaces a chunk that comes again and returns the body that is not needed any more', async () => {
    const { messages } = at.ledger;
    const id = await beginUpload(messages, 1, 3);
    const again = await messages.addChunk(addChunkOf(id, durableChunk('body-1-1-again', 1, 70)));
    expect(again).toEqual({ kind: 'stored', complete: false, replaced: 'body-1-1' });
    const inline = await messages.addChunk(addChunkOf(id, inlineChunk(Uint8Array.of(9, 9))));
    expect(inline).toEqual({ kind: 'stored', complete: false, replaced: 'body-1-1-again' });
    const third = await messages.addChunk(addChunkOf(id, inlineChunk(Uint8Array.of(8))));
    expect(third).toEqual({ kind: 'stored', complete: false, replaced: null });
    const found = await messages.findWithChunk(id, 1);
    expect(found).toMatchObject({ message: { sizeBytes: 1 }, chunk: { ref: null, sizeBytes: 1 } });
    expect(Array.from(found?.chunk?.inline ?? [])).toEqual([8]);
    const named = await at.ledger.jobs.referencedBodies([durableChunk('body-1-1').ref ?? ('' as never)]);
    expect(named.size).toBe(0);
  });

  it('does not return the body of the very chunk it was given twice', async () => {
    const id = await beginUpload(at.ledger.messages, 1, 3);
    const command = addChunkOf(id, durableChunk('body-1-2', 2));
    const answers = [await at.ledger.messages.addChunk(command), await at.ledger.messages.addChunk(command)];
    expect(answers).toEqual(answers.map(() => ({ kind: 'stored', complete: false, replaced: null })));
    expect(await at.ledger.messages.find(id)).toMatchObject({ sizeBytes: 200 });
  });

  it('refuses a chunk beyond the largest message, and takes one that just fits or shrinks another', async () => {
    const id = await beginUpload(at.ledger.messages, 1, 3);
    const send = async (n: number, size: number) => {
      const chunk = durableChunk(`size-${size}`, n, size);
      return at.ledger.messages.addChunk(addChunkOf(id, chunk, { messageBytesMax: 1000, nonce: nonceOf('n:1') }));
    };
    expect(await send(2, 901)).toEqual({ kind: 'too-large' });
    expect(await at.ledger.messages.find(id)).toMatchObject({ sizeBytes: 100 });
    expect((await at.ledger.messages.findWithChunk(id, 2))?.chunk).toBeNull();
    expect(await send(2, 900)).toMatchObject({ kind: 'stored' });
  });

  it('measures a chunk that comes again against what it replaces', async () => {
    const id = await beginUpload(at.ledger.messages, 1, 3);
    const chunk = durableChunk('whole', 1, 1000);
    expect(await at.ledger.messages.addChunk(addChunkOf(id, chunk, { messageBytesMax: 1000 }))).toMatchObject({
      kind: 'stored',
    });
  });

  it.each([
    { decided: 'it fits', isWithin: true, bytesMax: 299 },
    { decided: 'it is too large', isWithin: false, bytesMax: 300 },
  ])('has it decided again that $decided when chunks under way at once make it not so', async (limit) => {
    const { messages } = at.ledger;
    const { bytesMax, isWithin } = limit;
    const id = await beginUpload(messages, 1, 3);
    const nonce = nonceOf('n:1');
    const decided = { completion: completionOf({ size: { bytesMax, isWithin } }), nonce };
    // A chunk that is not the last is taken whatever the size, for another may still come in its place.
    expect(await messages.addChunk(addChunkOf(id, durableChunk('body-1-2', 2), { ...decided, nonce: null }))).toEqual({
      kind: 'stored',
      complete: false,
      replaced: null,
    });
    const last = addChunkOf(id, durableChunk('body-1-3', 3), decided);
    expect(await messages.addChunk(last)).toEqual({ kind: 'resized', sizeBytes: 300 });
    expect(await messages.find(id)).toMatchObject({ state: 'uploading', sizeBytes: 200 });
    expect((await messages.findWithChunk(id, 3))?.chunk).toBeNull();
    const again = { ...last, completion: completionOf({ size: { bytesMax, isWithin: !isWithin } }) };
    expect(await messages.addChunk(again)).toEqual({ kind: 'stored', complete: true, replaced: null });
  });

  it('ends in an error with a report when the last chunk finds that it may not be delivered', async () => {
    const { messages } = at.ledger;
    const id = await beginUpload(messages, 1, 2);
    const status = { code: '12', event: 'TRANSFER', description: 'unregistered' };
    const report = reportAbout(id, idOf(2));
    const completion = completionOf({ state: 'error', status, expiresAtMs: null, report });
    const answer = await messages.addChunk(addChunkOf(id, durableChunk('body-1-2', 2), { completion }));
    expect(answer).toEqual({ kind: 'stored', complete: true, replaced: null });
    expect(await messages.find(id)).toMatchObject({ state: 'error', statusCode: '12', acceptedAtMs: null });
    expect(await messages.waitingCount(bob)).toBe(0);
    expect(await listed(messages, alice)).toEqual([idOf(2)]);
  });

  it('leaves no trace of a chunk decided on an old registry', async () => {
    const id = await beginUpload(at.ledger.messages, 1, 2);
    const completion = completionOf({ registryVersion: 5 });
    const stale = addChunkOf(id, durableChunk('body-1-2', 2), { completion, nonce: nonceOf('n:1') });
    expect(await at.ledger.messages.addChunk(stale)).toEqual({ kind: 'stale', version: 0 });
    expect((await at.ledger.messages.findWithChunk(id, 2))?.chunk).toBeNull();
    const fresh = { ...stale, completion: completionOf() };
    expect(await at.ledger.messages.addChunk(fresh)).toMatchObject({ kind: 'stored', complete: true });
  });

  it('takes no chunk of a message that is not uploading, is unknown, or is another sender’s', async () => {
    const id = await beginUpload(at.ledger.messages, 1, 3);
    const done = await deliver(at.ledger.messages, 2);
    const chunk = durableChunk('stray', 2);
    const nonce = nonceOf('n:1');
    for (const command of [
      addChunkOf(done, chunk, { nonce }),
      addChunkOf(idOf(9), chunk, { nonce }),
      addChunkOf(id, chunk, { sender: carol, nonce }),
    ]) {
      expect(await at.ledger.messages.addChunk(command)).toEqual({ kind: 'not-uploading' });
    }
    expect(await at.ledger.nonces.claim(nonce)).toEqual({ kind: 'claimed' });
    expect(await at.ledger.messages.find(id)).toMatchObject({ sizeBytes: 100 });
  });

  it('stores nothing for a token that was used', async () => {
    const id = await beginUpload(at.ledger.messages, 1, 2);
    await at.ledger.nonces.claim(nonceOf('n:1'));
    const command = addChunkOf(id, durableChunk('body-1-2', 2), { nonce: nonceOf('n:1') });
    expect(await at.ledger.messages.addChunk(command)).toEqual({ kind: 'nonce-used', seenAtMs: bornAtMs });
    expect(await at.ledger.messages.find(id)).toMatchObject({ state: 'uploading', sizeBytes: 100 });
  });
}
