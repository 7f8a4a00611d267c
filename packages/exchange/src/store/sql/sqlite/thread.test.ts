import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acceptOf, idOf, newMessage, nonceOf } from '../../ledger-probe.ts';
import type { ReadingCommands, WritingCommands } from '../commands/table.ts';
import { startThread, type ThreadOptions } from './thread.ts';

describe('a thread of the ledger', () => {
  let folder = '';
  let path = '';
  let broken: string[] = [];
  let batches: number[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'openmesh-thread-'));
    path = join(folder, 'ledger.sqlite');
    broken = [];
    batches = [];
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function start<Table>(options: Partial<ThreadOptions> = {}) {
    return startThread<Table>({
      path,
      role: 'writer',
      cacheMebibytes: 1,
      lockTimeoutMs: 20,
      queueMax: 1000,
      batchMax: 256,
      onBroken: (reason) => void broken.push(reason),
      onBatch: ({ size }) => void batches.push(size),
      ...options,
    });
  }

  it('commits together what was asked together, and never more than a batch holds', async () => {
    const thread = await start<WritingCommands>({ batchMax: 10, companions: () => 25 });
    const claims = Array.from({ length: 25 }, (_, n) => thread.call('claim', nonceOf(`n${n}:1`)));
    expect(thread.waiting()).toBe(25);
    await Promise.all(claims);
    expect(batches).toEqual([10, 10, 5]);
    await thread.close();
  });

  it('does not keep a lone command waiting for companions that never come', async () => {
    const thread = await start<WritingCommands>({ companions: () => 50 });
    expect(await thread.call('claim', nonceOf('n:1'))).toEqual({ kind: 'claimed' });
    expect(batches).toEqual([1]);
    await thread.close();
  });

  it('gathers the next batch while one is being committed', async () => {
    const thread = await start<WritingCommands>();
    const first = thread.call('claim', nonceOf('first:1'));
    const rest = first.then(() => Promise.all([1, 2, 3].map((n) => thread.call('claim', nonceOf(`n${n}:1`)))));
    await rest;
    expect(batches).toEqual([1, 3]);
    await thread.close();
  });

  it('answers unavailable while another process holds the ledger, leaves no trace, and goes on afterwards', async () => {
    const thread = await start<WritingCommands>();
    const other = new DatabaseSync(path);
    other.exec('begin immediate');
    const command = acceptOf([newMessage(idOf(1))], { nonce: nonceOf('n:1') });
    const asked = () => [thread.call('accept', command), thread.call('claim', nonceOf('m:1'))];
    for (const { status, ...rest } of await Promise.allSettled<unknown>(asked())) {
      expect(status).toBe('rejected');
      expect(rest).toMatchObject({ reason: { name: 'LedgerFault', kind: 'unavailable' } });
    }
    other.exec('rollback');
    other.close();
    expect(await Promise.all<unknown>(asked())).toEqual([{ kind: 'accepted' }, { kind: 'claimed' }]);
    expect(broken).toEqual([]);
    await thread.close();
  });

  it('gives up everything that waits when the file is found damaged, says so once, and takes nothing more', async () => {
    await (await start()).close();
    const reader = await start<ReadingCommands>({ role: 'reader', batchMax: 2 });
    damage(path);
    const asked = Array.from({ length: 5 }, (_, n) => reader.call('find', idOf(n)));
    const kinds = (await Promise.allSettled(asked)).map((each) => each.status === 'rejected' && each.reason);
    expect(kinds).toEqual(asked.map(() => expect.objectContaining({ name: 'LedgerFault', kind: 'broken' })));
    expect(broken).toEqual(['a write or a flush of the ledger failed']);
    await expect(reader.call('find', idOf(1))).rejects.toMatchObject({ kind: 'unavailable' });
    await reader.close();
    expect(broken).toHaveLength(1);
  });

  it('does not start on a file that is no ledger', async () => {
    writeFileSync(path, 'this is a letter, not a ledger; '.repeat(200));
    await expect(start()).rejects.toThrow('not a database');
  });

  it('answers what was asked before it was closed, once and for all who close it', async () => {
    const thread = await start<WritingCommands>({ batchMax: 10 });
    const claims = Array.from({ length: 50 }, (_, n) => thread.call('claim', nonceOf(`n${n}:1`)));
    await Promise.all([thread.close(), thread.close()]);
    expect(await Promise.all(claims)).toHaveLength(50);
    await expect(thread.call('claim', nonceOf('late:1'))).rejects.toMatchObject({ kind: 'unavailable' });
    expect(broken).toEqual([]);
  });
});

/** Overwrites every page but the first, which says what the file is. */
function damage(path: string): void {
  const pageBytes = 8192;
  const file = openSync(path, 'r+');
  const noise = Buffer.alloc(statSync(path).size - pageBytes, 0xff);
  writeSync(file, noise, 0, noise.length, pageBytes);
  closeSync(file);
}
