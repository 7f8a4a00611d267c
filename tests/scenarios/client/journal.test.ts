import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { examineJournal } from '@openmesh/client/journal/examine-journal.ts';
import type { NewOutgoing } from '@openmesh/client/journal/journal.ts';
import { JournalFault, withJournalFile } from '@openmesh/client/journal/schema.ts';
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

/** The sentence of the fault that this ends with; empty when with none. */
const says = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(JournalFault);
    return (error as Error).message;
  }
  return '';
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

  it('lets a notice through that was last told before the clock was set back', async () => {
    await using folder = await temporaryFolder('journal');
    using journal = openJournal(join(folder.path, 'journal.sqlite'));
    const claim = (atMs: number) => journal.claimNotice('A', '04', atMs, dayMs);
    expect([claim(365 * dayMs), claim(5), claim(6), claim(5 + dayMs)]).toEqual([true, true, false, true]);
  });

  it('says in a sentence what is wrong with its file and what to do, and names no path', async () => {
    await using folder = await temporaryFolder('journal');
    const file = join(folder.path, 'journal.sqlite');
    expect(says(() => openJournal(join(folder.path, 'nowhere', 'journal.sqlite')))).toMatch(
      /cannot be opened: is WorkPath/,
    );
    {
      using journal = openJournal(file);
      for (let number = 0; number < 100; number += 1) journal.begin({ ...pair, base: 'P'.repeat(200) });
    }
    expect(examineJournal(file)).toBeUndefined();
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill(0xee, 4096, bytes.length));
    const onUse = (): unknown => {
      using journal = openJournal(file);
      return journal.open('A');
    };
    for (const content of [bytes, 'rubbish '.repeat(1000)]) {
      writeFileSync(file, content);
      expect(says(onUse)).toMatch(/^the journal is damaged\. To begin without it/);
      expect(examineJournal(file)).toMatch(/^the journal is damaged\. To begin without it/);
    }
    using full = new DatabaseSync(join(folder.path, 'full.sqlite'));
    full.exec('CREATE TABLE filling (bytes BLOB); PRAGMA max_page_count = 3');
    const fill = () => full.exec('INSERT INTO filling VALUES (zeroblob(100000))');
    expect(says(() => withJournalFile(fill))).toBe(
      'the journal cannot grow, for its disk is full: make room on the disk of WorkPath',
    );
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
