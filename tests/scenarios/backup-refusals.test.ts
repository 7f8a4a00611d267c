import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../kit/command-process.ts';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { writeSettingsFile } from '../kit/settings-file.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/temporary-folder.ts';

let home: TemporaryFolder;
let folder: ExchangeFolder;
beforeEach(async () => {
  home = await temporaryFolder('backup-refusals');
  folder = new ExchangeFolder(home.path);
  mkdirSync(folder.data);
  folder.addMailboxes(Array.from({ length: 2000 }, (_, n) => `MAILBOX${n}`));
  await runCommand(['backup', 'keygen', join(home.path, 'backup')], folder.env);
});
afterEach(() => home.remove());

const create = (place: string, env = folder.env) =>
  runCommand(['backup', 'create', `file:${place}`, '--recipient', join(home.path, 'backup.pub')], env);

/** Every page behind the first ones is overwritten, as by a disk that lost them. */
function damageLedger(): void {
  const path = join(folder.data, 'ledger.sqlite');
  const bytes = readFileSync(path);
  for (let at = 4 * 8192; at < bytes.length; at += 8192) bytes.fill(0xa5, at, at + 4096);
  writeFileSync(path, bytes);
}

describe('what keeps a backup from being made', () => {
  it('is said of the place, with its path and the system’s reason, when it lies there', async () => {
    const file = join(home.path, 'file');
    writeFileSync(file, '');
    const { status, err } = await create(join(file, 'backups'));
    expect(status).toBe(69);
    expect(err).toContain(`ENOTDIR at ${file}`);
    expect(err).toContain('look at the folder');
  });

  it('is said of the ledger, and not of the disk of the backup, when the ledger is damaged', async () => {
    damageLedger();
    const { status, out, err } = await create(join(home.path, 'backups'));
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toMatch(/^backup create: the ledger c[^\n]*malformed\n$/);
  });

  it('is said to be the database, which may be there later, when that cannot be reached', async () => {
    const away = { ...folder.env, OPENMESH_LEDGER: 'postgres://openmesh:secret@127.0.0.1:1/openmesh' };
    const said = /the ledger cannot be used: no primary answers/;
    expect(await create(join(home.path, 'backups'), away)).toMatchObject({
      status: 69,
      err: expect.stringMatching(said),
    });
    const settings = join(home.path, 'settings');
    writeSettingsFile(settings, away);
    const moved = await runCommand(['migrate-store', settings], folder.env);
    expect(moved).toMatchObject({ status: 69, out: '', err: expect.stringMatching(said) });
    expect(await runCommand(['mailbox', 'list'], folder.env)).toMatchObject({ status: 0 });
  });
});
