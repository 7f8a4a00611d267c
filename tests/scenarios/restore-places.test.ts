import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { holdForRestoring } from '@openmesh/exchange/store/sql/sqlite/snapshot.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CommandOutcome, runCommand } from '../kit/command-process.ts';
import { ExchangeFolder } from '../kit/exchange-folder.ts';
import { ExchangeProcess } from '../kit/exchange-process.ts';
import { listedIdsOf, sentIdOf } from '../kit/mesh-client.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/temporary-folder.ts';

const program = fileURLToPath(new URL('../../packages/exchange/src/cli/main.ts', import.meta.url));

type Env = ExchangeFolder['env'];

let home: TemporaryFolder;
let folder: ExchangeFolder;
let server: ExchangeProcess | undefined;
let kept: string[];

beforeEach(async () => {
  home = await temporaryFolder('restore-places');
  folder = new ExchangeFolder(home.path);
  mkdirSync(folder.data);
  folder.addMailboxes(['SENDER', 'READER']);
  server = await ExchangeProcess.start({ env: folder.env });
  await runCommand(['backup', 'keygen', join(home.path, 'backup')], folder.env);
  kept = [await send('before the backup'), await send('before it too')];
  const backup = ['backup', 'create', place(), '--recipient', join(home.path, 'backup.pub')];
  expect(await runCommand(backup, folder.env)).toMatchObject({ status: 0 });
});
afterEach(async () => {
  await server?.kill9();
  server = undefined;
  await home.remove();
});

const place = (): string => `file:${join(home.path, 'backups')}`;
const ledgerOf = (env: Env): string => (env['OPENMESH_LEDGER'] ?? '').slice('sqlite:'.length);

async function send(body: string): Promise<string> {
  const sender = folder.client(server?.url ?? '', 'SENDER');
  const id = sentIdOf(await sender.send({ to: 'READER', workflowId: 'W' }, body));
  sender.close();
  return id;
}

function restore(env: Env, ...more: readonly string[]): Promise<CommandOutcome> {
  return runCommand(['restore', place(), '--identity', join(home.path, 'backup.key'), ...more], env);
}

const list = (): Promise<CommandOutcome> => runCommand(['backup', 'list', place(), '--json'], folder.env);

async function waiting(env: Env): Promise<readonly string[]> {
  server = await ExchangeProcess.start({ env });
  const reader = folder.client(server.url, 'READER');
  const listed = listedIdsOf(await reader.list());
  reader.close();
  return listed;
}

describe('a restore', () => {
  it('beside the log of a ledger that was killed and moved away is refused, for that log would be taken for its own', async () => {
    for (let n = 0; n < 20; n += 1) await send(`after the backup ${n}`);
    await server?.kill9();
    const ledger = ledgerOf(folder.env);
    expect(existsSync(`${ledger}-wal`)).toBe(true);
    renameSync(ledger, `${ledger}.broken`);
    const refused = await restore(folder.env);
    expect(refused).toMatchObject({ status: 1, out: '' });
    expect(refused.err).toContain(`${ledger}-wal`);
    expect(existsSync(ledger)).toBe(false);
    for (const end of ['-wal', '-shm']) renameSync(`${ledger}${end}`, `${ledger}.broken${end}`);
    expect(await restore(folder.env)).toMatchObject({ status: 0 });
    expect(await waiting(folder.env)).toEqual(kept);
  });

  it('makes the folder of the ledger where a new machine has none', async () => {
    await server?.kill9();
    const env = { ...folder.env, OPENMESH_LEDGER: `sqlite:${join(home.path, 'new', 'machine', 'ledger.sqlite')}` };
    expect(await restore(env)).toMatchObject({ status: 0 });
    expect(await waiting(env)).toEqual(kept);
  });

  it('beside another restore of the same place, or an exchange that serves it, is refused before anything is written', async () => {
    await server?.kill9();
    const data = join(home.path, 'new');
    const env = {
      ...folder.env,
      OPENMESH_LEDGER: `sqlite:${join(data, 'ledger.sqlite')}`,
      OPENMESH_BODIES: `file:${join(data, 'bodies')}`,
    };
    {
      using _held = holdForRestoring(ledgerOf(env));
      const refused = await restore(env);
      expect(refused).toMatchObject({ status: 1, out: '', err: expect.stringContaining('stop that one first') });
      expect(existsSync(join(data, 'bodies'))).toBe(false);
    }
    expect(await restore(env)).toMatchObject({ status: 0 });
    expect(await waiting(env)).toEqual(kept);
  });

  it('of the newest is refused when that is dated later than now, for a clock was wrong, and made of one that is named', async () => {
    const [good = ''] = JSON.parse((await list()).out).map(
      ({ snapshot }: { snapshot: string }) => snapshot,
    ) as string[];
    const yearAhead = 'const { now } = Date; Date.now = () => now() + 366 * 86_400_000;';
    const hook = `data:text/javascript,${encodeURIComponent(yearAhead)}`;
    const create = ['backup', 'create', place(), '--recipient', join(home.path, 'backup.pub')];
    execFileSync(process.execPath, ['--import', hook, program, ...create], { env: folder.env, stdio: 'pipe' });
    await server?.kill9();
    rmSync(folder.data, { recursive: true });
    const refused = await restore(folder.env);
    expect(refused).toMatchObject({ status: 1, out: '', err: expect.stringContaining('dated later than it is now') });
    expect(await restore(folder.env, '--snapshot', good)).toMatchObject({ status: 0 });
    expect(await waiting(folder.env)).toEqual(kept);
  });

  it('is said in a sentence to fail where the ledger cannot be written', async () => {
    await server?.kill9();
    writeFileSync(join(home.path, 'file'), '');
    const env = { ...folder.env, OPENMESH_LEDGER: `sqlite:${join(home.path, 'file', 'ledger.sqlite')}` };
    const { status, out, err } = await restore(env);
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toMatch(/the ledger cannot be written.*\((ENOTDIR|EEXIST)\)/);
    expect(err).not.toContain('defect');
  });
});

describe('a backup', () => {
  it('is said in a sentence to fail, with the reason, where there is no place for a copy of the ledger', async () => {
    // No file beside it can have a longer name.
    const env = { ...folder.env, OPENMESH_LEDGER: `sqlite:${join(home.path, 'l'.repeat(240))}` };
    expect(await runCommand(['mailbox', 'list'], env)).toMatchObject({ status: 0 });
    const backup = ['backup', 'create', place(), '--recipient', join(home.path, 'backup.pub')];
    const { status, out, err } = await runCommand(backup, env);
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toMatch(/could not be copied.*ENAMETOOLONG/);
    expect(err).not.toContain('defect');
  });
});
