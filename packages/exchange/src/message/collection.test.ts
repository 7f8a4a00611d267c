import type { MailboxId, MessageId } from '@openmesh/protocol';
import { describe, expect, it } from 'vitest';
import type { CollectionFacts } from '../store/ledger/message-records.ts';
import { createCollectionNotes } from './collection.ts';

const mailbox = 'X26ABC1' as MailboxId;
const [one, other] = ['M1' as MessageId, 'M2' as MessageId];

describe('facts of collection', () => {
  it('are not lost when the ledger cannot take them at the time, and are one with what is noted meanwhile', async () => {
    const offered: (readonly CollectionFacts[])[] = [];
    const refused = Promise.withResolvers<void>();
    const notes = createCollectionNotes({
      recordCollections(facts) {
        offered.push(facts);
        return offered.length === 1 ? refused.promise : Promise.resolve();
      },
    });
    notes.listed(mailbox, [one, other], 1000);
    notes.downloaded(mailbox, one, 2000);
    const first = notes.flush();
    await Promise.resolve();
    await Promise.resolve();
    notes.downloaded(mailbox, one, 3000);
    refused.reject(new Error('full'));
    await expect(first).rejects.toThrow('full');
    await notes.flush();
    expect(offered).toHaveLength(2);
    expect(offered[1]).toEqual(
      expect.arrayContaining([
        {
          messageId: one,
          mailbox,
          firstListedAtMs: 1000,
          firstDownloadAtMs: 2000,
          lastDownloadAtMs: 3000,
          downloads: 2,
        },
        {
          messageId: other,
          mailbox,
          firstListedAtMs: 1000,
          firstDownloadAtMs: null,
          lastDownloadAtMs: null,
          downloads: 0,
        },
      ]),
    );
    await notes.flush();
    expect(offered).toHaveLength(2);
  });
});
