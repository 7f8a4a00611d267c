import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { composeClient } from '@openmesh/client/compose.ts';
import { loadConfig } from '@openmesh/client/config/load-config.ts';
import { LockedByAnother, lockRoot } from '@openmesh/client/mailbox/root-lock.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../../kit/client-command.ts';
import { ClientFolder } from '../../kit/client-folder.ts';
import { clientRound } from '../../kit/client-scenario.ts';
import { type ScriptedService, startScriptedService, taken } from '../../kit/scripted-service.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

const mailbox = 'X26ABC1';
let home: TemporaryFolder;
let folder: ClientFolder;
let service: ScriptedService;
beforeEach(async () => {
  home = await temporaryFolder('client-folders');
  service = await startScriptedService({
    onSend: (localId, nth) =>
      localId === 'BAD'
        ? { status: 417, json: { errorCode: '02', errorEvent: 'SEND', errorDescription: 'refused' } }
        : taken(nth),
  });
  folder = new ClientFolder(home.path, { url: service.url, mailboxes: [mailbox], settings: { ServerRetry: '1' } });
});
afterEach(async () => {
  await service[Symbol.asyncDispose]();
  await home.remove();
});

/** There is always one of these, and nothing can be written to the first. */
const otherVolume = existsSync('/proc') ? '/proc' : '/dev';
const drop = (base: string, localId = base): void =>
  folder.drop(mailbox, base, 'bytes', { To_DTS: mailbox, LocalId: localId });
const until = async (isDone: () => boolean): Promise<void> => {
  for (let looks = 0; looks < 1600 && !isDone(); looks += 1) await pause(50);
  expect(isDone()).toBe(true);
};

/** The report of a pair is the last that is made of it. */
const isFiled = (pairs: number): boolean =>
  folder.list(mailbox, 'SENT').length === 2 * pairs && folder.list(mailbox, 'IN').length === pairs;

describe('a folder that takes no files', () => {
  it.each(['IN', 'SENT', 'FAILED'])(
    'keeps nothing in OUT from being sent, and all is filed when it does: %s',
    async (name) => {
      const bases = Array.from({ length: 20 }, (_, nth) => `P${String(nth).padStart(2, '0')}`);
      for (const base of bases) drop(base);
      drop('A-BAD', 'BAD');
      const [path, aside] = [folder.path(mailbox, name), folder.path(mailbox, 'away')];
      renameSync(path, aside);
      writeFileSync(path, 'a file where a folder should be');
      expect((await clientRound(folder)).mailboxes[mailbox]).toBe('a file or folder refused (ENOTDIR)');
      expect((await clientRound(folder)).mailboxes[mailbox]).toBe('a file or folder refused (ENOTDIR)');
      expect([...service.sends].sort()).toEqual(['BAD', ...bases]);
      rmSync(path);
      renameSync(aside, path);
      expect((await clientRound(folder)).mailboxes[mailbox]).toMatchObject({ sent: 0, failed: 0 });
      expect(service.sends).toHaveLength(bases.length + 1);
      expect(folder.list(mailbox, 'OUT')).toEqual([]);
      expect(folder.list(mailbox, 'SENT')).toHaveLength(bases.length * 2);
      expect(folder.list(mailbox, 'FAILED')).toEqual(['A-BAD.ctl', 'A-BAD.dat']);
      expect(folder.list(mailbox, 'IN')).toHaveLength(bases.length + 1);
    },
  );
});

describe('a folder on another volume than OUT', () => {
  it.each(['IN', 'SENT', 'FAILED'])('is told of by run, once and check before anything is sent: %s', async (name) => {
    drop('PAIR');
    const [path, aside] = [folder.path(mailbox, name), folder.path(mailbox, 'away')];
    renameSync(path, aside);
    symlinkSync(otherVolume, path);
    const { mailboxes } = await clientRound(folder);
    expect(mailboxes[mailbox]).toMatch(new RegExp(`^the folder ${name} is on another volume than OUT: put`));
    const { status, stdout } = await runCommand('check', folder.configFile);
    expect(status).toBe(5);
    expect(stdout).toContain(`${name} is on another volume than OUT`);
    expect(service.sends).toEqual([]);
    rmSync(path);
    renameSync(aside, path);
    expect((await clientRound(folder)).mailboxes[mailbox]).toMatchObject({ sent: 1 });
  });
});

it('tells of a TEMP that takes no lock file, what to do', async () => {
  mkdirSync(folder.path(mailbox, 'TEMP', '.openmesh-lock'));
  expect((await clientRound(folder)).mailboxes[mailbox]).toMatch(/^the folder TEMP takes no lock file: give/);
});

/** Hands over a client at work that has sent FIRST, and whose TEMP was replaced. */
async function working(meanwhile: (running: Promise<void>) => Promise<void>): Promise<void> {
  using client = composeClient(loadConfig(folder.configFile, {}), {}, () => undefined);
  const [soon, now] = [new AbortController(), new AbortController()];
  const running = Promise.all(client.workers.map((worker) => worker.run({ soon: soon.signal, now: now.signal }))).then(
    () => undefined,
  );
  try {
    drop('FIRST');
    await until(() => isFiled(1));
    rmSync(folder.path(mailbox, 'TEMP'), { recursive: true });
    mkdirSync(folder.path(mailbox, 'TEMP'));
    await meanwhile(running);
  } finally {
    soon.abort();
    await running.catch(() => undefined);
  }
}

describe('a TEMP that was emptied, or is another folder since', () => {
  it('is put right while the client works, and keeps others out as before', async () => {
    await working(async () => {
      drop('SECOND');
      await until(() => isFiled(2));
      expect(() => lockRoot(folder.path(mailbox, 'TEMP'), 0)).toThrow(LockedByAnother);
    });
    expect(service.sends).toEqual(['FIRST', 'SECOND']);
    expect(folder.list(mailbox, 'IN')).toEqual(['FIRST.ctl', 'SECOND.ctl']);
  });

  it('ends the client when another was let in meanwhile, and nothing more is sent by the first', async () => {
    await working(async (running) => {
      using _other = lockRoot(folder.path(mailbox, 'TEMP'), 0);
      drop('SECOND');
      await expect(running).rejects.toThrow(LockedByAnother);
    });
    expect(service.sends).toEqual(['FIRST']);
  });
});
