import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { NewOutgoing } from '@openmesh/client/journal/journal.ts';
import { openJournal, openJournalToRead } from '@openmesh/client/journal/sqlite-journal.ts';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const dayMs = 86_400_000;
const pair: NewOutgoing = {
  mailbox: 'A',
  base: 'P1',
  controlName: 'P1.ctl',
  dataName: 'P1.dat',
  controlPrint: '1:1',
  dataPrint: '2:2',
  key: 'key-1',
  localId: 'REF',
  state: 'sending',
  outcome: null,
  changedMs: 1,
};

describe('the journal', () => {
  it('keeps what it was told across a new opening, a settled pair among it', async () => {
    await using folder = await temporaryFolder('journal');
    const file = join(folder.path, 'journal.sqlite');
    {
      using journal = openJournal(file);
      const [first, second] = [journal.begin(pair), journal.begin({ ...pair, base: 'P2' })];
      journal.change(first.pair, { state: 'accepted', messageId: 'M1', changedMs: 2 });
      journal.settle(second.pair, 3);
    }
    using journal = openJournalToRead(file);
    expect(journal.open('A')).toMatchObject([{ base: 'P1', state: 'accepted', messageId: 'M1', key: 'key-1' }]);
    expect(journal.counts('A').outgoing).toEqual({ accepted: 1, settled: 1 });
  });

  it('flushes every commit: the setting is in force', async () => {
    await using folder = await temporaryFolder('journal');
    const file = join(folder.path, 'journal.sqlite');
    using journal = openJournal(file);
    expect(journal.pragma('synchronous')).toBe(2);
    expect(journal.pragma('journal_mode')).toBe('wal');
  });

  it('lets one notice of a kind through in a day', async () => {
    await using folder = await temporaryFolder('journal');
    using journal = openJournal(join(folder.path, 'journal.sqlite'));
    const claim = (atMs: number, kind = '04') => journal.claimNotice('A', kind, atMs, dayMs);
    expect([claim(0), claim(1), claim(dayMs - 1), claim(0, '17'), claim(dayMs), claim(dayMs + 1)]).toEqual([
      true,
      false,
      false,
      true,
      true,
      false,
    ]);
  });

  it('forgets what was settled long ago, and never what is open', async () => {
    await using folder = await temporaryFolder('journal');
    using journal = openJournal(join(folder.path, 'journal.sqlite'));
    journal.settle(journal.begin(pair).pair, 5);
    journal.begin({ ...pair, base: 'P2' });
    expect(journal.prune(100)).toBe(1);
    expect(journal.open('A')).toHaveLength(1);
  });

  it('brings a journal of the version before forward, with what is in it', async () => {
    await using folder = await temporaryFolder('journal');
    const file = join(folder.path, 'journal.sqlite');
    {
      using journal = openJournal(file);
      journal.begin(pair);
    }
    const before = new DatabaseSync(file);
    before.exec('DROP TABLE sighting; ALTER TABLE outgoing DROP COLUMN doubtful_sends; PRAGMA user_version = 1');
    before.close();
    expect(() => openJournalToRead(file)).toThrow(/earlier version/);
    using journal = openJournal(file);
    expect(journal.open('A')).toMatchObject([{ base: 'P1', state: 'sending', doubtfulSends: 0 }]);
  });

  it('refuses a file that is another program’s', async () => {
    await using folder = await temporaryFolder('journal');
    const file = join(folder.path, 'journal.sqlite');
    const other = new DatabaseSync(file);
    other.exec('PRAGMA user_version = 7');
    other.close();
    expect(() => openJournal(file)).toThrow(/no journal of this client/);
  });
});
