import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MailboxId } from '@openmesh/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteLedger } from '../../packages/exchange/src/store/sql/sqlite/ledger.ts';
import { loadInbox, loadMessages } from './load-messages.ts';

const open = (path: string) =>
  openSqliteLedger({ path, profile: 'live', cacheMebibytes: 8, queueMax: 100, onBroken: () => {} });

describe('the bulk loader of the growth benchmark', () => {
  let directory = '';
  let ledgerPath = '';

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'openmesh-load-'));
    ledgerPath = join(directory, 'ledger.sqlite');
    await (await open(ledgerPath)).close();
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('writes messages that the ledger reads as its own, and only adds what is missing', async () => {
    const plan = { ledgerPath, bulkMailboxes: 10, firstAtMs: Date.UTC(2026, 10, 21) };
    loadMessages({ ...plan, messages: 100 });
    loadMessages({ ...plan, messages: 400 });
    const ledger = await open(ledgerPath);
    try {
      const mailbox = 'BENCHC000003' as MailboxId;
      const query = { mailbox, afterPosition: 0, limit: 500, filter: null, examineMax: 5000 };
      const page = await ledger.messages.inboxPage(query);
      // Forty entries a mailbox, of which every twentieth waits.
      expect(page.waiting).toBe(2);
      expect(page.entries.map(({ position }) => position)).toEqual([1, 21]);
      const found = await ledger.messages.findWithChunk(page.entries[0]?.messageId ?? ('' as never), 1);
      expect(found?.message).toMatchObject({ state: 'accepted', recipient: mailbox, sizeBytes: 200, totalChunks: 1 });
      expect(found?.chunk?.inline?.byteLength).toBe(200);
    } finally {
      await ledger.close();
    }
  });

  it('fills one inbox in order, and the next message takes the next position', async () => {
    const mailbox = 'BENCHB000001' as MailboxId;
    loadInbox({
      ledgerPath,
      mailbox,
      sender: 'BENCHA000001',
      waiting: 700,
      series: 1,
      firstAtMs: Date.UTC(2026, 10, 21),
    });
    const ledger = await open(ledgerPath);
    try {
      const query = { mailbox, limit: 500, filter: null, examineMax: 5000 };
      const first = await ledger.messages.inboxPage({ ...query, afterPosition: 0 });
      expect(first).toMatchObject({ waiting: 700, nextAfter: 500 });
      const second = await ledger.messages.inboxPage({ ...query, afterPosition: 500 });
      expect(second.entries).toHaveLength(200);
      expect(second.nextAfter).toBeNull();
    } finally {
      await ledger.close();
    }
  });
});
