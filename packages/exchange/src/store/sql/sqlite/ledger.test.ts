import { chmod, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeLedger, type LedgerUnderTest } from '../../ledger.contract.ts';
import type { Ledger } from '../../ledger.ts';
import { alice, deliver, nonceOf } from '../../ledger-probe.ts';
import { LedgerUnfit } from '../../ledger-problem.ts';
import { openSqliteLedger, type SqliteLedgerOptions } from './ledger.ts';

function onBroken(reason: string): void {
  throw new Error(reason);
}

function openAt(path: string, options: Partial<SqliteLedgerOptions> = {}): Promise<Ledger> {
  return openSqliteLedger({ path, profile: 'live', cacheMebibytes: 4, queueMax: 10_000, onBroken, ...options });
}

const modeOf = async (file: string): Promise<string> => ((await stat(file)).mode & 0o777).toString(8);

async function openForContract(): Promise<LedgerUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'openmesh-ledger-'));
  const path = join(folder, 'ledger.sqlite');
  let ledger = await openAt(path);
  return {
    get ledger() {
      return ledger;
    },
    async reopen() {
      await ledger.close();
      ledger = await openAt(path);
      return ledger;
    },
    async end() {
      await ledger.close();
      await rm(folder, { recursive: true });
    },
  };
}

describeLedger('SQLite', openForContract);

describe('the ledger file', () => {
  let folder = '';
  let path = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'openmesh-ledger-file-'));
    path = join(folder, 'made', 'on-demand', 'ledger.sqlite');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is its owner’s alone, with its log and the folders made for it, whatever the umask says', async () => {
    const umask = process.umask(0);
    try {
      const ledger = await openAt(path);
      await deliver(ledger.messages, 1);
      const files = [path, `${path}-wal`, `${path}-shm`];
      expect(await Promise.all(files.map(modeOf))).toEqual(['600', '600', '600']);
      const folders = [join(folder, 'made'), join(folder, 'made', 'on-demand')];
      expect(await Promise.all(folders.map(modeOf))).toEqual(['700', '700']);
      await ledger.close();
    } finally {
      process.umask(umask);
    }
  });

  it('keeps the mode an operator gave it', async () => {
    await (await openAt(path)).close();
    await chmod(path, 0o640);
    const ledger = await openAt(path);
    await ledger.audit.append({ atMs: 1, actor: 'a', action: 'b', subject: 'c', detail: '{}' });
    expect([await modeOf(path), await modeOf(`${path}-wal`)]).toEqual(['640', '640']);
    await ledger.close();
  });

  it('is refused to the profile that did not make it, and stays as it was', async () => {
    const made = await openAt(path, { profile: 'sandbox' });
    await made.jobs.setClockOffset(5);
    await made.close();
    await expect(openAt(path)).rejects.toThrow(LedgerUnfit);
    await expect(openAt(path)).rejects.toThrow('made by the sandbox profile and is refused by the live profile');
    const again = await openAt(path, { profile: 'sandbox' });
    expect(await again.jobs.clockOffset()).toBe(5);
    await again.close();
  });

  it('is not opened when a folder stands in its place', async () => {
    await mkdir(path, { recursive: true });
    await expect(openAt(path)).rejects.toThrow('EISDIR');
  });

  it('answers unavailable beyond the commands that may wait, and takes commands again when they were answered', async () => {
    const ledger = await openAt(path, { queueMax: 8 });
    const claims = Array.from({ length: 12 }, (_, n) => ledger.nonces.claim(nonceOf(`n${n}:1`)));
    expect(ledger.waiting()).toBe(8);
    const settled = await Promise.allSettled(claims);
    expect(settled.map(({ status }) => status)).toEqual([
      ...Array.from({ length: 8 }, () => 'fulfilled'),
      ...Array.from({ length: 4 }, () => 'rejected'),
    ]);
    await expect(claims[11]).rejects.toMatchObject({ name: 'LedgerFault', kind: 'unavailable' });
    expect(await ledger.nonces.claim(nonceOf('n11:1'))).toEqual({ kind: 'claimed' });
    expect(ledger.waiting()).toBe(0);
    await ledger.close();
  });

  it('settles what is in flight before it closes, and then answers unavailable', async () => {
    const ledger = await openAt(path);
    const flying = Array.from({ length: 600 }, (_, n) => deliver(ledger.messages, n));
    await ledger.close();
    expect(await Promise.all(flying)).toHaveLength(600);
    await expect(ledger.messages.waitingCount(alice)).rejects.toMatchObject({ kind: 'unavailable' });
    await ledger.close();
  });
});
