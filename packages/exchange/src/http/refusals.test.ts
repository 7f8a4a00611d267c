import { describe, expect, it } from 'vitest';
import type { RefusalRecord } from '../store/ledger/refusals.ts';
import { createRefusalNotes, type RefusalFacts } from './refusals.ts';

const facts: RefusalFacts = {
  reason: 'token-stale',
  detail: 'a detail',
  mailbox: 'X26ABC1',
  operation: 'check-inbox',
  status: 403,
  address: '127.0.0.1',
  certificateSerial: null,
  correlationId: null,
};

function notesOver(record: (records: readonly RefusalRecord[]) => Promise<void>) {
  let nowMs = 1_000_000;
  const notes = createRefusalNotes({ record }, { nowMs: () => nowMs });
  return { notes, advance: (ms: number) => void (nowMs += ms) };
}

describe('records of refusals', () => {
  it('are written when a flush resolves, those included that an earlier flush was still writing', async () => {
    const gate = Promise.withResolvers<void>();
    const written: string[] = [];
    const { notes } = notesOver(async (records) => {
      await gate.promise;
      written.push(...records.map(({ reason }) => reason));
    });
    notes.note(facts);
    const first = notes.flush();
    const second = notes.flush();
    gate.resolve();
    await second;
    expect(written).toEqual(['token-stale']);
    await first;
  });

  it('are not lost when the ledger cannot take them at the time', async () => {
    const answers = [Promise.reject(new Error('full')), Promise.resolve()];
    answers[0]?.catch(() => undefined);
    const offered: string[][] = [];
    const { notes } = notesOver((records) => {
      offered.push(records.map(({ refusalId }) => refusalId));
      return answers[offered.length - 1] ?? Promise.resolve();
    });
    notes.note(facts);
    await expect(notes.flush()).rejects.toThrow('full');
    await notes.flush();
    expect(offered).toHaveLength(2);
    expect(offered[1]).toEqual(offered[0]);
  });

  it('are capped for each kind, mailbox and address in a window; the rest are counted in one more', async () => {
    const written: RefusalRecord[] = [];
    const { notes, advance } = notesOver(async (records) => {
      written.push(...records);
      await Promise.resolve();
    });
    for (let time = 0; time < 100; time += 1) notes.note(facts);
    notes.note({ ...facts, address: '127.0.0.2' });
    await notes.flush();
    expect(written).toHaveLength(21);
    advance(60_000);
    await notes.flush();
    expect(written).toHaveLength(22);
    expect(written.at(-1)).toMatchObject({ address: '127.0.0.1', count: 80 });
  });

  it('are written, the counted ones too, when the clock was set back meanwhile', async () => {
    const written: RefusalRecord[] = [];
    const { notes, advance } = notesOver((records) => Promise.resolve(void written.push(...records)));
    for (let time = 0; time < 100; time += 1) notes.note(facts);
    advance(-3_600_000);
    notes.note(facts);
    await notes.flush();
    expect(written).toHaveLength(22);
    expect(written.reduce((sum, { count }) => sum + count, 0)).toBe(101);
  });
});
