import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../../kit/client-command.ts';
import { ClientFolder, elementOf } from '../../kit/client-folder.ts';
import { ClientProcess } from '../../kit/client-process.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

const [a, b] = ['X26ABC1', 'X26ABC2'] as const;
let exchange: ExchangeInProcess;
let home: TemporaryFolder;
let folder: ClientFolder;

beforeAll(async () => {
  exchange = await ExchangeInProcess.start({ tls: 'off' });
});
afterAll(() => exchange.stop());
beforeEach(async () => {
  home = await temporaryFolder('client');
  folder = new ClientFolder(home.path, {
    url: exchange.url,
    mailboxes: [a, b],
    settings: { ServerRetry: '1', StatusSeconds: '1' },
  });
});
afterEach(() => home.remove());

/** Beside this process, for the exchange is in it. */
const command = runCommand;
const until = async (isDone: () => boolean): Promise<void> => {
  for (let looks = 0; looks < 1600 && !isDone(); looks += 1) await setTimeout(50);
  expect(isDone()).toBe(true);
};
const statusNow = () =>
  JSON.parse(readFileSync(join(home.path, 'working', 'status.json'), 'utf8')) as {
    isHealthy: boolean;
    mailboxes: { health: { parts: { out: { state: string } } } }[];
  };
const isReady = (client: ClientProcess) => () => client.said.includes('ready mailboxes=2');

describe('openmesh-client run', () => {
  it('takes pairs as they come, writes mesh.log in the familiar form, and stops with 0 when it is told to', async () => {
    const client = ClientProcess.start({ configFile: folder.configFile });
    await until(isReady(client));
    folder.drop(a, 'LIVE', 'bytes', { To_DTS: b });
    await until(() => folder.list(a, 'SENT').length === 2);
    expect(await client.stop()).toBe(0);
    const log = readFileSync(join(home.path, 'log', 'mesh.log'), 'utf8');
    const form = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}:\[.{20,}\]:(INFO |WARN |ERROR):[A-Za-z ]{20}:.+$/;
    for (const line of log.trim().split('\n')) expect(line).toMatch(form);
    expect(log).toContain(`:[Mailbox:${a}     ]:INFO :SendFilesService    :Sent 1 files for Mailbox:${a}`);
    expect(log).toContain('Client Count:2');
    expect(log).toMatch(/Authentication successful for Mailbox:X26ABC1/);
  });

  it('stops with 0 on the signal file, removes it, and is not stopped by one that was there before', async () => {
    const file = join(home.path, 'sig', 'mexclient.sig');
    mkdirSync(join(home.path, 'sig'));
    writeFileSync(file, '1');
    utimesSync(file, new Date(0), new Date(0));
    const client = ClientProcess.start({ configFile: folder.configFile });
    await until(isReady(client));
    folder.drop(a, 'STALE', 'bytes', { To_DTS: b });
    await until(() => folder.list(a, 'SENT').length === 2);
    expect(client.running).toBe(true);
    expect((await command('stop', folder.configFile)).status).toBe(0);
    expect((await client.exited).code).toBe(0);
    expect(existsSync(file)).toBe(false);
  });

  it.each([0, 4_000_000_000])(
    'stops on a signal file whatever time it bears (%s), for clocks are set',
    async (seconds) => {
      const file = join(home.path, 'sig', 'mexclient.sig');
      const client = ClientProcess.start({ configFile: folder.configFile });
      await until(isReady(client));
      writeFileSync(`${file}.new`, '1');
      utimesSync(`${file}.new`, seconds, seconds);
      renameSync(`${file}.new`, file);
      expect((await client.exited).code).toBe(0);
      expect(existsSync(file)).toBe(false);
    },
  );

  it('leaves a folder alone on which another process works, with exit code 3, and takes over when that was killed', async () => {
    const first = ClientProcess.start({ configFile: folder.configFile });
    await until(isReady(first));
    await until(() => existsSync(join(folder.path(b, 'TEMP'), '.openmesh-owner.json')));
    const second = ClientProcess.start({ configFile: folder.configFile });
    expect((await second.exited).code).toBe(3);
    expect(second.said).toContain(`process ${first.pid} on`);
    await first.kill9();
    const third = ClientProcess.start({ configFile: folder.configFile });
    await until(isReady(third));
    expect(await third.stop()).toBe(0);
  });

  it('is not stalled by a mailbox that cannot authenticate, and tells its application once a day', async () => {
    const config = readFileSync(folder.configFile, 'utf8');
    // The first mailbox only.
    writeFileSync(
      folder.configFile,
      config.replace('<ClientAuthentication>kit-password', '<ClientAuthentication>wrong'),
    );
    folder.drop(a, 'KEPT', 'bytes', { To_DTS: b });
    folder.drop(b, 'GOES', 'bytes', { To_DTS: 'Y99ABC3' });
    const client = ClientProcess.start({ configFile: folder.configFile });
    await until(() => folder.list(b, 'SENT').length === 2 && folder.list(a, 'IN').length >= 2);
    await until(
      () =>
        statusNow()
          .mailboxes.map(({ health }) => health.parts.out.state)
          .join() === 'bad,good',
    );
    expect(statusNow().isHealthy).toBe(false);
    expect(await client.stop()).toBe(0);
    const codes = folder.list(a, 'IN').map((name) => elementOf(folder.read(a, 'IN', name), 'StatusCode'));
    expect(new Set(codes)).toEqual(new Set(['04', '17']));
    expect(codes).toHaveLength(2);
    expect(folder.list(a, 'OUT')).toEqual(['KEPT.ctl', 'KEPT.dat']);
  });
});

describe('the other commands', () => {
  it('say on one line what is missing and who issues it, when there is no shared key', async () => {
    writeFileSync(folder.configFile, readFileSync(folder.configFile, 'utf8').replace(/<AuthenticationKey>.*/, ''));
    const { status, stderr } = await command('run', folder.configFile);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^[^\n]*shared key[^\n]*NHS England issues it[^\n]*OPENMESH_SHARED_KEY_FILE\n$/);
  });

  it('check finds everything in order, and says of a wrong password what to do', async () => {
    const good = await command('check', folder.configFile, '--json');
    expect(good.status, good.stdout + good.stderr).toBe(0);
    writeFileSync(folder.configFile, readFileSync(folder.configFile, 'utf8').replaceAll('kit-password', 'wrong'));
    const bad = await command('check', folder.configFile);
    expect(bad.status).toBe(5);
    expect(bad.stdout).toMatch(/failed {2}X26ABC1 mailbox: /);
    expect(bad.stdout).not.toContain('wrong');
  });

  it('run --dry-run says what would be sent, and touches nothing', async () => {
    folder.drop(a, 'WOULD', 'bytes', { To_DTS: b });
    folder.drop(a, 'WOULDNOT', 'bytes', { To_DTS: '' });
    const { status, stdout } = await command('run', folder.configFile, '--dry-run', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([
      { base: 'WOULD', would: 'send' },
      { base: 'WOULDNOT', would: 'fail', code: '08' },
    ]);
    expect(folder.list(a, 'OUT')).toHaveLength(4);
  });

  it('say of a damaged journal what to do, and status what else it knows', async () => {
    folder.drop(a, 'ONE', 'bytes', { To_DTS: b });
    expect((await command('once', folder.configFile)).status).toBe(0);
    writeFileSync(join(home.path, 'working', 'journal.sqlite'), 'rubbish '.repeat(1000));
    for (const name of ['run', 'once', 'leave']) {
      const { status, stderr } = await command(name, folder.configFile);
      expect(stderr).toMatch(/^openmesh-client \w+: the journal is damaged\. To begin without it/m);
      expect(status).toBe(1);
    }
    for (const name of ['status', 'check']) {
      const { status, stdout } = await command(name, folder.configFile);
      expect(stdout).toContain('the journal is damaged. To begin without it');
      expect(status).toBe(5);
    }
  });

  it('say of a journal that cannot be opened what to do, and may be started again by a service manager', async () => {
    mkdirSync(join(home.path, 'working', 'journal.sqlite'), { recursive: true });
    const { status, stderr } = await command('run', folder.configFile);
    expect(stderr).toMatch(/^openmesh-client run: the journal cannot be opened: is WorkPath there/m);
    expect(status).toBe(69);
  });

  it('status names what lies in OUT and cannot be sent as it lies', async () => {
    writeFileSync(folder.path(a, 'OUT', 'LONE.dat'), 'bytes');
    folder.dropControl(a, 'EMPTY', { To_DTS: b });
    mkdirSync(folder.path(a, 'OUT', 'FOLDER.ctl'));
    // As a share hands on the name of a program that writes Latin-1.
    writeFileSync(
      Buffer.concat([Buffer.from(folder.path(a, 'OUT', 'R')), Buffer.from([0xf6]), Buffer.from('.ctl')]),
      '',
    );
    const { stdout } = await command('status', folder.configFile);
    expect(stdout.split('\n').filter((line) => line.startsWith('in OUT'))).toEqual([
      `in OUT of ${a}: LONE.dat has no control file`,
      `in OUT of ${a}: EMPTY.ctl has no data file`,
      `in OUT of ${a}: FOLDER.ctl is a link or folder, or its name is no UTF-8`,
      `in OUT of ${a}: R\ufffd.ctl is a link or folder, or its name is no UTF-8`,
    ]);
  });

  it('retry sends a pair of FAILED again once what was wrong is mended', async () => {
    folder.drop(a, 'AGAIN', 'bytes', { To_DTS: 'NOBODY99' });
    expect((await command('once', folder.configFile)).status).toBe(0);
    const failed = folder.path(a, 'FAILED', 'AGAIN.ctl');
    writeFileSync(failed, readFileSync(failed, 'utf8').replace('NOBODY99', b));
    expect((await command('retry', 'AGAIN.dat', folder.configFile)).status).toBe(0);
    expect((await command('once', folder.configFile)).status).toBe(0);
    expect(folder.list(a, 'SENT')).toEqual(['AGAIN.ctl', 'AGAIN.dat']);
    expect(folder.list(a, 'FAILED')).toEqual([]);
    expect((await command('retry', 'NOSUCH', folder.configFile)).status).toBe(5);
  });

  it('retry sends a pair whose name is as long as any may be', async () => {
    const longest = 'x'.repeat(251);
    folder.drop(a, longest, 'bytes', { To_DTS: 'NOBODY99' });
    expect((await command('once', folder.configFile)).status).toBe(0);
    expect((await command('retry', longest, folder.configFile)).status).toBe(0);
    expect(folder.list(a, 'OUT')).toHaveLength(2);
    expect(folder.list(a, 'FAILED')).toEqual([]);
  });

  it('retry puts nothing over a file that an application has begun to write to OUT under the same name', async () => {
    folder.drop(a, 'SAME', 'of the first', { To_DTS: 'NOBODY99' });
    expect((await command('once', folder.configFile)).status).toBe(0);
    const before = folder.read(a, 'FAILED', 'SAME.ctl');
    writeFileSync(folder.path(a, 'OUT', 'SAME.dat'), 'of the second');
    const { status, stderr } = await command('retry', 'SAME', folder.configFile);
    expect(status).toBe(5);
    expect(stderr).toMatch(/OUT holds a file of this name already/);
    expect(folder.read(a, 'OUT', 'SAME.dat').toString()).toBe('of the second');
    expect(folder.read(a, 'FAILED', 'SAME.dat').toString()).toBe('of the first');
    expect(folder.read(a, 'FAILED', 'SAME.ctl')).toEqual(before);
  });

  it('retry finishes what an earlier run of it began', async () => {
    folder.drop(a, 'CUT', 'bytes', { To_DTS: 'NOBODY99' });
    expect((await command('once', folder.configFile)).status).toBe(0);
    linkSync(folder.path(a, 'FAILED', 'CUT.dat'), folder.path(a, 'OUT', 'CUT.dat'));
    expect((await command('retry', 'CUT', folder.configFile)).status).toBe(0);
    expect(folder.list(a, 'OUT')).toEqual(['CUT.ctl', 'CUT.dat']);
    expect(folder.list(a, 'FAILED')).toEqual([]);
  });

  it('convert gives a file the client runs with', async () => {
    const own = join(home.path, 'openmesh-client.yaml');
    expect((await command('convert', folder.configFile, '--out', own)).status).toBe(0);
    folder.drop(a, 'CONVERTED', 'bytes', { To_DTS: b });
    expect((await command('once', own)).status).toBe(0);
    expect(folder.list(a, 'SENT')).toHaveLength(2);
  });

  it('answer --help, and a wrong command with 64', async () => {
    for (const name of [
      'run',
      'once',
      'status',
      'check',
      'convert',
      'retry',
      'stop',
      'init',
      'validate',
      'import-keystore',
      'mailbox',
      'service',
      'protect',
      'leave',
      'settings',
    ]) {
      const { status, stdout } = await command(name, '--help');
      expect([name, status]).toEqual([name, 0]);
      expect(stdout).toContain('Exit codes:');
    }
    expect((await command('nonsense')).status).toBe(64);
    expect((await command('run', '--nonsense')).status).toBe(64);
  });
});
